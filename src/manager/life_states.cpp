// A job's change of state, and what the journal is told of it.
#include <algorithm>
#include <csignal>
#include <random>
#include <utility>

#include "base/fault_point.h"
#include "base/files.h"
#include "base/signals.h"
#include "job/run_id.h"
#include "manager/attainable.h"
#include "manager/life.h"
#include "manager/log_file.h"
#include "proc/process.h"

namespace usvc {

Step Life::advance(JobEvent event) {
  const Step taken = step(job_.state, event);
  if (taken.next != job_.state) enter(taken.next);
  return taken;
}

void Life::enter(JobState state) {
  const JobState before = std::exchange(job_.state, state);
  Event entered = event(to_string(state));
  if (state != JobState::dead) entered_at_ = entered.t;
  switch (state) {
    case JobState::starting: {
      if (before == JobState::pre_run) {  // the same run goes on
        entered.event = "hook-passed";
        return instance_.record(std::move(entered));
      }
      const auto conf_before = job_.conf;
      instance_.read_conf(job_);
      if (job_.conf && job_.conf != conf_before) {
        for (const auto& reason : unattainable(*job_.conf, conf_before.get()))
          instance_.record_error(job_.name, reason);
      }
      entered.run_id = make_run_id(job_.name, static_cast<std::uint64_t>(record().runs) + 1, std::random_device()());
      entered.log_offset = begin_of_run(instance_.log_path_of(job_));
      if (conf().split) entered.error_log_offset = begin_of_run(error_log_of(instance_.log_path_of(job_)));
      return instance_.record(std::move(entered));
    }
    case JobState::running:
      job_.running_since = Clock::now();
      entered.pid = job_.run->pid;
      if (launched_before_) {  // it may have ended since
        const double age = age_of(job_.run->start_ticks);
        entered_at_ = entered.t = std::max(entered.t - age, std::min(entered.t, record().started_at.value_or(0)));
        job_.running_since -= std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(age));
      }
      return instance_.record(std::move(entered));
    case JobState::dead:
      if (before == JobState::post_run) break;
      ended_ = std::make_unique<const Event>(exit_event());
      return instance_.record(*ended_);
    case JobState::waiting:
      entered.until = entered.t + std::chrono::duration<double>(pause_).count();
      instance_.record(std::move(entered));
      return fault_point("manager.waiting");
    case JobState::invalid:
      return instance_.record_error(job_.name, job_.conf_error);
    case JobState::stopped:
    case JobState::pre_run:
    case JobState::post_run:
    case JobState::stopping:
      return instance_.record(std::move(entered));
  }
  job_.changed();
}

std::int64_t Life::begin_of_run(const std::string& log) const {
  return static_cast<std::int64_t>(end_position(instance_.layout(), log));
}

Event Life::event(std::string_view name) const {
  Event event;
  event.t = unix_now();
  event.event = name;
  event.job = job_.name;
  event.run_id = record().run_id;
  return event;
}

Event Life::exit_event() {
  Event exited = event("exited");
  const bool asked = record().state == "stopping";
  if (asked) exited.asked = true;
  exited.core = false;
  if (!failure_.empty()) {
    exited.message = failure_;
  } else if (job_.run && job_.run->end) {
    const RunEnd& end = *job_.run->end;
    // It may have ended before what it had begun was noted; the journal is in order all the same. Not where the clock
    // has been set back meanwhile.
    exited.t = entered_at_ <= exited.t ? std::max(end.at, entered_at_) : end.at;
    exited.pid = job_.run->pid;
    if (const auto code = end.status.code()) exited.code = *code;
    if (const auto signal = end.status.signal()) exited.signal = signal_name(*signal);
    // The manager that sent it may not have lived to note it.
    const bool by_kill = end.status.signal() == SIGKILL && conf().stop_signal != SIGKILL;
    if (asked && (job_.killed || by_kill)) exited.forced = true;
    exited.core = end.status.dumped_core();
    const bool out_of_memory = instance_.was_out_of_memory(*job_.run);
    if (out_of_memory && end.status.signal() == SIGKILL && !asked) exited.oom = true;
    exited.cpu = end.cpu;
    exited.max_rss_bytes = end.max_rss_bytes;
    if (job_.run->phase == Phase::pre) {
      exited.message = std::string("the pre-run hook ") + (asked ? "was ended: " : "failed: ") + end.status.describe();
    }
  }
  const double began = record().started_at.value_or(exited.t);
  exited.ran = std::max(0.0, exited.t - began);
  return exited;
}

namespace {

bool is_of(const JobRecord& known, const std::string& path, std::int64_t inode, std::int64_t mtime_ns) {
  return known.binary && known.binary->path == path && known.binary->inode == inode &&
         known.binary->mtime_ns == mtime_ns;
}

}  // namespace

// What an earlier manager had not come to; where conf and file are still those that it was started by.
void Life::note_missed_binary() {
  if (conf().cmd.find('/') == std::string::npos) return;  // what it meant then is not known
  const FileStamp now = stamp_of(conf().cmd);
  const JobRecord& known = record();
  const bool noted = known.md5 && is_of(known, conf().cmd, static_cast<std::int64_t>(now.inode), now.modified_ns);
  const auto changed_ns = std::max({now.changed_ns, job_.conf_stamp.changed_ns, job_.conf_stamp.modified_ns});
  const bool unchanged = static_cast<double>(changed_ns) / 1e9 <= known.started_at.value_or(0);
  if (now.there && !noted && unchanged) note_binary();
}

const std::string& Life::program_of_run() const {
  return job_.run && !job_.run->program.empty() ? job_.run->program : conf().cmd;
}

void Life::note_binary() {
  const auto job = self();
  instance_.hashing().hash(program_of_run(), [this, job](const Hashed& hashed) {
    const JobRecord& now = record();
    if (job->removed || hashed.md5.empty()) return;
    const BinaryView& binary = hashed.binary;
    if (now.md5 == hashed.md5 && is_of(now, binary.path, binary.inode, binary.mtime_ns)) return;
    Event noted = event("hashed");
    noted.md5 = hashed.md5;
    noted.binary = hashed.binary.path;
    noted.binary_dev = hashed.binary.dev;
    noted.binary_inode = hashed.binary.inode;
    noted.binary_size = hashed.binary.size;
    noted.binary_mtime_ns = hashed.binary.mtime_ns;
    instance_.record(std::move(noted));
  });
}

}  // namespace usvc
