#include "manager/run.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/time.h"
#include "proc/process.h"

namespace usvc {

using keeper::Role;

std::string item_id(const std::string& run_id, Phase phase) {
  switch (phase) {
    case Phase::pre:
      return run_id + "/pre";
    case Phase::main:
      return run_id;
    case Phase::post:
      return run_id + "/post";
  }
  return run_id;
}

std::string cgroup_name(const std::string& run_id, Phase phase) {
  return run_id + (phase == Phase::pre ? ".pre" : phase == Phase::post ? ".post" : "");
}

ItemName parse_item_id(const std::string& id) {
  const auto slash = id.find('/');
  if (slash == std::string::npos) return {.run_id = id, .phase = Phase::main};
  return {.run_id = id.substr(0, slash), .phase = id.substr(slash) == "/pre" ? Phase::pre : Phase::post};
}

std::string Run::item_id() const {
  return usvc::item_id(run_id, phase);
}

Event spawned_event(const std::string& job, const Run& run) {
  Event spawned;
  spawned.t = unix_now();
  spawned.event = "spawned";
  spawned.job = job;
  spawned.run_id = run.run_id;
  spawned.pid = run.pid;
  spawned.start_ticks = static_cast<std::int64_t>(run.start_ticks);
  spawned.boot_id = boot_id();
  return spawned;
}

std::vector<Lent> Run::held() const {
  std::vector<Lent> lent;
  if (pidfd) lent.push_back({Role::pidfd, pidfd});
  if (output) lent.push_back({Role::output, output});
  if (log) lent.push_back({Role::log, log});
  if (error_output) lent.push_back({Role::error_output, error_output});
  if (error_log) lent.push_back({Role::error_log, error_log});
  if (carry.read) lent.push_back({Role::carry_read, carry.read});
  if (carry.write) lent.push_back({Role::carry_write, carry.write});
  return lent;
}

namespace {

Status send_through_pidfd(const Run& run, int signal, unsigned flags) {
  if (::syscall(SYS_pidfd_send_signal, run.pidfd.get(), signal, nullptr, flags) == 0) return {};
  return fail(Error::last("cannot send a signal to process " + std::to_string(run.pid)));
}

}  // namespace

Status signal_main(const Run& run, int signal) {
  return send_through_pidfd(run, signal, 0);
}

Status signal_group(const Run& run, int signal) {
  constexpr unsigned process_group = 1U << 2U;  // PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9
  auto status = send_through_pidfd(run, signal, process_group);
  if (status || status.error().code() != EINVAL) return status;
  // Older kernels: the main process leads its group and is at least a zombie of the keeper's, so the number is its own.
  if (auto exists = signal_main(run, 0); !exists) return exists;
  if (::kill(-run.pid, signal) == 0) return {};
  return fail(Error::last("cannot send a signal to process group " + std::to_string(run.pid)));
}

void mark_output(Run& run) {
  struct stat info {};
  if (!run.terminal) {
    if (::fstat(run.output.get(), &info) == 0) run.marks.pipes.push_back(info.st_ino);
    if (run.error_output && ::fstat(run.error_output.get(), &info) == 0) run.marks.pipes.push_back(info.st_ino);
    return;
  }
  unsigned number = 0;
  if (::ioctl(run.output.get(), TIOCGPTN, &number) != 0) return;
  run.marks.tty_path = "/dev/pts/" + std::to_string(number);
  if (::stat(run.marks.tty_path.c_str(), &info) == 0) run.marks.tty = info.st_rdev;
}

RunEnd end_from(const keeper::Message& exit) {
  siginfo_t info{};
  info.si_signo = SIGCHLD;
  info.si_code = exit.code;
  info.si_status = exit.status;
  return {.status = ExitStatus::from(info),
          .at = static_cast<double>(exit.ended_at_us) / 1e6,
          .cpu = static_cast<double>(exit.cpu_us) / 1e6,
          .max_rss_bytes = exit.max_rss_bytes};
}

}  // namespace usvc
