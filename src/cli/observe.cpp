#include "cli/observe.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "proc/host.h"
#include "proc/process.h"
#include "proc/tree.h"

namespace usvc {

namespace {

// Its process; null: it was not there, or is another by now.
const Snapshot::Process* process_of(const JobView& job, const Snapshot& snapshot) {
  const auto* process = snapshot.find(static_cast<pid_t>(*job.pid));
  const bool other =
      process != nullptr && job.start_ticks && std::cmp_not_equal(process->start_ticks, *job.start_ticks);
  return other ? nullptr : process;
}

void observe_process(JobView& job, const SeenProcesses& seen) {
  const auto* process = process_of(job, seen.snapshot);
  if (process == nullptr) return;
  job.kernel_state = process_state_words(*process);
  const Usage usage = seen.snapshot.usage_of(process->pid);
  const auto hertz = static_cast<double>(clock_ticks());
  const double lived = std::max(seen.at - static_cast<double>(process->start_ticks) / hertz, 1 / hertz);
  job.cpu_percent = 100 * static_cast<double>(usage.cpu_ticks) / hertz / lived;
  job.mem_bytes = static_cast<std::int64_t>(usage.rss_bytes);
}

}  // namespace

bool binary_changed(const BinaryView& binary) {
  struct stat now {};
  if (::stat(binary.path.c_str(), &now) != 0) return true;
  const std::int64_t mtime_ns = static_cast<std::int64_t>(now.st_mtim.tv_sec) * 1'000'000'000 + now.st_mtim.tv_nsec;
  return static_cast<std::int64_t>(now.st_dev) != binary.dev || static_cast<std::int64_t>(now.st_ino) != binary.inode ||
         now.st_size != binary.size || mtime_ns != binary.mtime_ns;
}

std::string process_state_words(const Snapshot::Process& process) {
  // Which kind of uninterruptible sleep it is takes the flags that a snapshot does not keep.
  ProcessStat stat;
  std::string buffer;
  if (process.state == 'D' && read_stat(process.pid, stat, buffer)) return kernel_state(stat.state, stat.flags);
  return kernel_state(process.state, 0);
}

HostView observe_host() {
  const Host host = read_host();
  HostView view;
  view.name = host.name;
  view.cores = host.cores;
  view.load = {host.load.one, host.load.five, host.load.fifteen};
  view.tasks = std::to_string(host.load.running) + "/" + std::to_string(host.load.total);
  view.mem_percent = host.mem_percent;
  view.swap_percent = host.swap_percent;
  view.fds = static_cast<std::int64_t>(host.fds);
  for (const auto& disk : host.disks) view.disks.push_back({disk.mount, disk.percent});
  return view;
}

SeenProcesses SeenProcesses::now() {
  Snapshot snapshot = Snapshot::take();
  return {std::move(snapshot), uptime()};
}

void observe_jobs(std::vector<JobView>& jobs) {
  const bool any = std::any_of(jobs.begin(), jobs.end(), [](const JobView& job) { return job.pid.has_value(); });
  observe_jobs(jobs, any ? SeenProcesses::now() : SeenProcesses{Snapshot({}), 0});
}

void observe_jobs(std::vector<JobView>& jobs, SeenProcesses seen) {
  const bool all_seen = std::all_of(jobs.begin(), jobs.end(), [&](const JobView& job) {
    return !job.pid || process_of(job, seen.snapshot) != nullptr;
  });
  if (!all_seen) seen = SeenProcesses::now();
  for (auto& job : jobs) {
    if (job.pid) observe_process(job, seen);
    if (job.binary && job.md5) job.md5_changed = binary_changed(*job.binary);
  }
}

}  // namespace usvc
