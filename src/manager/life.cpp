#include "manager/life.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <random>
#include <utility>

#include "base/fault_point.h"
#include "base/signals.h"
#include "base/text.h"
#include "job/backoff.h"
#include "job/run_id.h"
#include "keeper/launch.h"
#include "manager/launch.h"
#include "manager/sweep.h"
#include "proc/process.h"

namespace usvc {

namespace {

constexpr auto keeper_pause = std::chrono::milliseconds(20);
// Output that a full disk keeps from its log is not waited for longer: it goes on in the background.
constexpr auto drain_patience = std::chrono::seconds(1);

bool at_work(JobState state) {
  return state == JobState::pre_run || state == JobState::running || state == JobState::stopping ||
         state == JobState::post_run;
}

bool at_rest(JobState state) {
  return state == JobState::stopped || state == JobState::waiting || state == JobState::invalid;
}

double random01() {
  static std::mt19937_64 generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

std::int64_t size_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

// Whether the process never became its program: its manager died before letting it go.
bool still_launching(pid_t pid) {
  ProcessStat stat;
  std::string buffer;
  return read_stat(pid, stat, buffer) && stat.comm == keeper::launching_comm;
}

}  // namespace

asio::awaitable<void> Life::live(std::shared_ptr<Job> /*keep_alive*/) {
  co_await take_up();
  while (!job_.removed) {
    if (at_rest(job_.state)) co_await rest();  // stopped, waiting, invalid
    if (job_.removed) break;
    co_await begin();     // starting, pre-run → running
    co_await attend();    // until the program has ended → dead
    co_await bury();      // its tree swept, its output drained
    co_await epilogue();  // post-run
    decide();             // → starting, waiting, stopped
  }
}

// What an earlier manager left half done. Ends at rest, or in `starting`.
asio::awaitable<void> Life::take_up() {
  if (job_.run) {
    co_await see_through();
  } else if (job_.state == JobState::post_run) {
    job_.state = JobState::dead;
  } else if (!at_rest(job_.state) && job_.state != JobState::dead) {
    job_.state = JobState::stopped;  // it had not come to a process yet
  }
  if (job_.state == JobState::dead) {
    decide();
  } else if (job_.state == JobState::waiting && !record().wanted) {
    (void)advance(JobEvent::stop);
  } else if (job_.state == JobState::stopped && record().wanted && !instance_.shutting_down) {
    job_.post(JobEvent::start);
  }
}

// The process that lives, or has ended meanwhile, is followed to its end. Ends in `dead`, or in `stopped` where the run
// has yet to be begun.
asio::awaitable<void> Life::see_through() {
  const Phase phase = job_.run->phase;
  const bool never_let_go = job_.state == JobState::starting && still_launching(job_.run->pid);
  if (job_.state == JobState::starting && !never_let_go) (void)advance(JobEvent::begun);
  if (job_.state == JobState::stopping) send_stop();
  if (job_.state == JobState::running && !record().wanted) job_.post(JobEvent::stop);
  if (never_let_go) {
    while (!job_.run->end) co_await job_.wakeup.wait();
  }
  co_await attend();
  co_await bury();
  if (phase == Phase::main && !never_let_go) co_await epilogue();
  if (job_.state != JobState::dead) job_.state = JobState::stopped;
}

asio::awaitable<void> Life::rest() {
  while (at_rest(job_.state) && !job_.removed) {
    deadline_ = Wakeup::never;
    if (job_.state == JobState::waiting) {
      const double left = record().waiting_until.value_or(0) - unix_now();
      // A clock that was set back must not make a job wait longer than it ever should.
      const double bounded = std::clamp(left, 0.0, std::chrono::duration<double>(Backoff::longest_wait).count());
      deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(bounded));
    }
    const JobEvent event = co_await next_event();
    if (!job_.removed) (void)advance(event);
  }
}

asio::awaitable<void> Life::begin() {
  never_began_ = false;
  failure_.clear();
  job_.killed = false;
  deadline_ = Wakeup::never;
  if (!job_.conf) {
    (void)advance(JobEvent::broken);
    co_return;
  }
  if (!job_.conf->pre_cmd.empty()) {
    if (co_await start_process(Phase::pre)) {
      (void)advance(JobEvent::hook_begun);
      fault_point("manager.pre-run");
      co_await attend();
      if (job_.state != JobState::starting) {
        never_began_ = true;
        co_return;
      }
      co_await drain();
      instance_.release_run(job_);
    } else {
      (void)advance(JobEvent::exited);
      co_return;
    }
  }
  const bool began = co_await start_process(Phase::main);
  (void)advance(began ? JobEvent::begun : JobEvent::exited);
  fault_point("manager.running");
  if (began) note_binary();
}

// True once the process has become its program.
asio::awaitable<bool> Life::start_process(Phase phase) {
  auto place = co_await instance_.launches().enter();
  asio::steady_timer pause(instance_.io());
  for (;;) {
    const pid_t keeper = instance_.keeper().keeper_pid();
    const Launching launching(&instance_, item_id(record().run_id.value_or(""), phase));
    auto launched = co_await launch(&instance_, self(), phase);
    if (!launched && launched.error().code() == EPIPE) {
      pause.expires_after(keeper_pause);  // the next keeper is being started
      (void)co_await pause.async_wait(as_result);
      continue;
    }
    if (!launched) {
      never_began_ = true;
      failure_ = launched.error().message();
      co_return false;
    }
    // A keeper that died in between is not going to hold this run; the child ends when its status socket closes.
    if (instance_.keeper().keeper_pid() != keeper) continue;
    job_.run = std::move(launched->run);
    job_.run->end = launching.early_end();
    Event spawned = event("spawned");
    spawned.pid = job_.run->pid;
    spawned.start_ticks = static_cast<std::int64_t>(job_.run->start_ticks);
    spawned.boot_id = boot_id();
    instance_.record(std::move(spawned));
    fault_point("manager.spawn-recorded");
    instance_.capture_run(job_);
    std::string program = phase == Phase::main ? job_.conf->cmd : "/bin/sh";
    auto gone = co_await let_go(&instance_, std::move(launched->status), std::move(program));
    if (gone) {
      job_.run->marks.image = image_of(job_.run->pid);
      co_return true;
    }
    never_began_ = true;
    failure_ = gone.error().message();
    while (!job_.run->end) co_await job_.wakeup.wait();
    co_await drain();
    instance_.release_run(job_);
    co_return false;
  }
}

asio::awaitable<void> Life::attend() {
  while (at_work(job_.state)) {
    const JobEvent event = co_await next_event();
    const Step taken = advance(event);
    if (taken.action == JobAction::send_stop) send_stop();
    if (taken.action == JobAction::send_kill) send_kill();
    if (job_.state == JobState::post_run && event == JobEvent::stop && deadline_ == Wakeup::never) {
      deadline_ = Clock::now() + conf().stop_timeout;
    }
  }
}

asio::awaitable<void> Life::bury() {
  if (job_.run) co_await bury_run();
  // Only now is what it printed last in its log.
  if (const auto ended = std::exchange(ended_, std::nullopt)) instance_.alert(job_, *ended);
}

asio::awaitable<void> Life::bury_run() {
  const auto patience = conf().stop_timeout;
  // What the stop signal reached with the main process has had its time from then on.
  auto kill_at = deadline_ != Wakeup::never ? deadline_ : Clock::now() + patience;
  if (job_.killed) kill_at = Clock::now();
  deadline_ = Wakeup::never;
  if (job_.run->phase == Phase::main || job_.state == JobState::dead) {
    fault_point("manager.exit-recorded");
    (void)co_await sweep(&instance_, self(), kill_at);
    fault_point("manager.swept");
  }
  co_await drain();
  fault_point("manager.drained");
  instance_.release_run(job_);
}

asio::awaitable<void> Life::drain() {
  instance_.capture().drain(job_.run->item_id());
  const auto give_up_at = Clock::now() + drain_patience;
  while (!job_.run->drained) {
    // Only a log that can't be written is a reason not to wait.
    const auto until = job_.log_error != 0 ? give_up_at : Clock::now() + drain_patience;
    (void)co_await job_.wakeup.wait_until(until);
    if (job_.log_error != 0 && Clock::now() >= give_up_at) co_return;
  }
}

asio::awaitable<void> Life::epilogue() {
  if (never_began_ || job_.state != JobState::dead || !job_.conf || job_.conf->post_cmd.empty()) co_return;
  job_.events.clear();  // what was asked meanwhile is in `wanted` and `restart_asked`
  if (!co_await start_process(Phase::post)) {
    instance_.record_error(job_.name, "the post-run hook could not be started: " + failure_);
    co_return;
  }
  (void)advance(JobEvent::hook_begun);
  fault_point("manager.post-run");
  if (!record().wanted) deadline_ = Clock::now() + conf().stop_timeout;
  co_await attend();
  const auto& end = job_.run->end;
  if (end && !end->status.success()) {
    instance_.record_error(job_.name, "the post-run hook failed: " + end->status.describe());
  }
  // A hook leaves nothing behind.
  const bool was_killed = std::exchange(job_.killed, true);
  co_await bury();
  job_.killed = was_killed;
}

namespace {

ExitStatus status_of(const ExitView& exit) {
  if (exit.code) return ExitStatus(ExitStatus::Exited{static_cast<int>(*exit.code)});
  if (exit.signal) return ExitStatus(ExitStatus::Killed{parse_signal(*exit.signal).value_or(0), exit.core});
  if (exit.reason) return ExitStatus(ExitStatus::NotStarted{*exit.reason});
  return ExitStatus();
}

}  // namespace

// The run is over. What is wanted now, and what had been asked for meanwhile, says how it goes on.
void Life::decide() {
  if (job_.state != JobState::dead) return;
  job_.events.clear();
  const JobRecord& now = record();
  if (job_.removed || !now.wanted || instance_.shutting_down) {
    (void)advance(JobEvent::finished);
    return;
  }
  const ExitView exit = now.last_exit.value_or(ExitView{});
  if (job_.restart_asked || exit.asked.value_or(false)) {
    (void)advance(JobEvent::again_now);
    return;
  }
  if (!wants_restart(conf().restart, status_of(exit))) {
    Event unwanted = event("wanted");
    unwanted.wanted = false;
    instance_.record(std::move(unwanted));
    (void)advance(JobEvent::finished);
    return;
  }
  const Backoff::Rules rules{.runaway_protect = conf().runaway_protect};
  pause_ = Backoff::delay(rules, static_cast<int>(now.young_ends), random01());
  (void)advance(pause_ == Duration::zero() ? JobEvent::again_now : JobEvent::again_later);
}

asio::awaitable<JobEvent> Life::next_event() {
  for (;;) {
    if (job_.removed) co_return JobEvent::finished;
    if (at_work(job_.state) && job_.run && job_.run->end) {
      const bool passed = job_.state == JobState::pre_run && job_.run->end->status.success();
      co_return passed ? JobEvent::hook_passed : JobEvent::exited;
    }
    if (!job_.events.empty()) {
      const JobEvent event = job_.events.front();
      job_.events.pop_front();
      co_return event;
    }
    if (Clock::now() >= deadline_) {
      deadline_ = Wakeup::never;
      co_return JobEvent::deadline;
    }
    (void)co_await job_.wakeup.wait_until(deadline_);
  }
}

const Conf& Life::conf() const {
  static const Conf defaults;
  return job_.conf ? *job_.conf : defaults;
}

Step Life::advance(JobEvent event) {
  const Step taken = step(job_.state, event);
  if (taken.next != job_.state) enter(taken.next);
  return taken;
}

void Life::enter(JobState state) {
  const JobState before = std::exchange(job_.state, state);
  Event entered = event(to_string(state));
  switch (state) {
    case JobState::starting: {
      if (before == JobState::pre_run) break;  // the same run goes on
      job_.restart_asked = false;
      instance_.read_conf(job_);
      entered.run_id = make_run_id(job_.name, static_cast<std::uint64_t>(record().runs) + 1, random_hex(4));
      entered.log_offset = size_of(job_.conf ? job_.conf->log : instance_.layout().log_path(job_.name));
      return instance_.record(std::move(entered));
    }
    case JobState::running:
      entered.pid = job_.run->pid;
      return instance_.record(std::move(entered));
    case JobState::dead:
      if (before == JobState::post_run) break;
      ended_ = exit_event();
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
  if (job_.run && job_.run->end) {
    const RunEnd& end = *job_.run->end;
    exited.t = end.at;
    exited.pid = job_.run->pid;
    if (const auto code = end.status.code()) exited.code = *code;
    if (const auto signal = end.status.signal()) exited.signal = signal_name(*signal);
    exited.core = end.status.dumped_core();
    exited.cpu = end.cpu;
    exited.max_rss_bytes = end.max_rss_bytes;
    if (job_.run->phase == Phase::pre) exited.message = "the pre-run hook failed: " + end.status.describe();
  } else {
    exited.message = failure_;
  }
  const double began = record().started_at.value_or(exited.t);
  exited.ran = std::max(0.0, exited.t - began);
  return exited;
}

void Life::send_stop() {
  Run& run = *job_.run;
  if (conf().tree == TreeTier::subreaper) note_tree(run);
  const int signal = run.phase == Phase::main ? conf().stop_signal : SIGTERM;
  // A process that is gone already has been seen to, or will be in a moment.
  (void)signal_group(run, signal);
  (void)signal_group(run, SIGCONT);  // a stopped one could not answer
  fault_point("manager.stop-signalled");
  deadline_ = Clock::now() + conf().stop_timeout;
}

void Life::send_kill() {
  job_.killed = true;
  if (job_.run->cgroup) (void)job_.run->cgroup->kill();
  (void)signal_group(*job_.run, SIGKILL);
  fault_point("manager.stop-killed");
}

void Life::note_binary() {
  const auto job = self();
  instance_.hashing().hash(job_.conf->cmd, [this, job](const Hashed& hashed) {
    const JobRecord& now = record();
    if (job->removed || hashed.md5.empty()) return;
    const bool same = now.md5 == hashed.md5 && now.binary && now.binary->path == hashed.binary.path &&
                      now.binary->inode == hashed.binary.inode && now.binary->mtime_ns == hashed.binary.mtime_ns;
    if (same) return;
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
