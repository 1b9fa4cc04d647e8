#include "manager/life.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <random>
#include <utility>

#include "base/fault_point.h"
#include "base/signals.h"
#include "base/text.h"
#include "job/backoff.h"
#include "keeper/launch.h"
#include "manager/launch.h"
#include "manager/sweep.h"
#include "proc/process.h"

namespace usvc {

namespace {

constexpr auto keeper_pause = std::chrono::milliseconds(20);
constexpr auto launch_pause = std::chrono::milliseconds(2);
// Output that a full disk keeps from its log is not waited for longer: it goes on in the background.
constexpr auto drain_patience = std::chrono::seconds(1);
constexpr std::size_t most_leftovers = 8;

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

}  // namespace

asio::awaitable<void> Life::live(std::shared_ptr<Job> /*keep_alive*/) {
  job_.begun = true;
  for (Stage stage = co_await take_up(job_.resume); !job_.removed; stage = Stage::rest) {
    if (stage >= Stage::attend) instance_.drop_input(job_.name);
    if (stage <= Stage::rest) co_await rest();  // stopped, waiting, invalid → starting
    if (job_.removed) break;
    if (stage <= Stage::pre_run) co_await pre_run();    // pre-run → starting
    if (stage <= Stage::program) co_await program();    // → running
    if (stage <= Stage::attend) co_await attend();      // until the program has ended → dead
    if (stage <= Stage::bury) co_await bury();          // its tree swept, its output drained
    if (stage <= Stage::epilogue) co_await epilogue();  // post-run → dead
    decide();                                           // → starting, waiting, stopped
  }
}

// What an earlier manager left half done: where the loop is entered.
asio::awaitable<Life::Stage> Life::take_up(Resume resume) {
  // A run that came to nothing has no post-run hook.
  never_began_ = record().last_exit && record().last_exit->reason.has_value();
  switch (resume) {
    case Resume::rest:
    case Resume::drain:
    case Resume::end:
      settle_down();
      co_return Stage::rest;
    case Resume::begin:
      never_began_ = false;
      job_.state = JobState::starting;
      if (record().wanted) {
        end_unwanted();
        co_return Stage::pre_run;
      }
      enter(JobState::stopped);
      co_return Stage::rest;
    case Resume::program:
      never_began_ = false;
      job_.state = JobState::starting;
      end_unwanted();
      co_return Stage::program;
    case Resume::follow:
    case Resume::recover:
      never_began_ = false;
      co_return co_await follow();
    case Resume::bury:
      job_.state = JobState::dead;
      co_return Stage::bury;
    case Resume::epilogue:
    case Resume::decide:
      job_.state = JobState::dead;
      (void)co_await sweep_lost(&instance_, self());  // what the program or the hook had left may not be swept yet
      co_return resume == Resume::epilogue ? Stage::epilogue : Stage::decide;
    case Resume::lost:
      co_await record_lost();
      co_return Stage::decide;
  }
  co_return Stage::rest;
}

// At rest, and on its way again where that is what is wanted.
void Life::settle_down() {
  if (job_.state == JobState::waiting && !record().wanted) (void)advance(JobEvent::stop);
  if (job_.state == JobState::stopped && record().wanted && !instance_.shutting_down) job_.post(JobEvent::start);
}

// A stop that an earlier manager had journaled and not carried out; also one that another run is wanted after.
void Life::end_unwanted() {
  const bool begins = job_.state == JobState::starting || job_.state == JobState::pre_run;
  if (!begins && job_.state != JobState::running) return;
  if (!record().wanted)
    job_.post(JobEvent::stop);
  else if (record().anew)
    job_.post(JobEvent::restart);
}

// The process that lives, or has ended meanwhile, is followed to its end.
asio::awaitable<Life::Stage> Life::follow() {
  const Phase phase = job_.run->phase;
  end_unwanted();
  if (job_.state == JobState::stopping) {
    if (phase == Phase::pre) never_began_ = true;
    send_stop();
    co_return Stage::attend;
  }
  if (job_.state == JobState::starting || (phase == Phase::post && job_.state == JobState::dead)) {
    const Stage stage = co_await follow_launch();
    if (!job_.run) co_return stage;
  }
  if (phase == Phase::pre) co_return Stage::pre_run;
  if (phase == Phase::main) note_missed_binary();
  co_return phase == Phase::main ? Stage::attend : Stage::epilogue;
}

// Until the process has become its program; or has ended before it did, since nobody was left to let it go: then it is
// launched anew, within the same run.
asio::awaitable<Life::Stage> Life::follow_launch() {
  const Phase phase = job_.run->phase;
  asio::steady_timer pause(instance_.io());
  while (was_not_let_go()) {
    if (job_.run->end) {
      co_await drain();
      forget_spawned();
      instance_.release_run(job_);
      if (phase == Phase::pre) co_return Stage::pre_run;
      co_return phase == Phase::main ? Stage::program : Stage::epilogue;
    }
    pause.expires_after(launch_pause);  // nothing tells of an execve
    (void)co_await pause.async_wait(as_result);
  }
  launched_before_ = true;
  (void)advance(phase == Phase::main ? JobEvent::begun : JobEvent::hook_begun);
  launched_before_ = false;
  co_return Stage::rest;
}

// Not become its program: yet, or for ever. One that is gone without a trace and not in the journal was never let go.
bool Life::was_not_let_go() const {
  const Run& run = *job_.run;
  ProcessStat stat;
  std::string buffer;
  const bool there = read_stat(run.pid, stat, buffer) && stat.start_ticks == run.start_ticks;
  return there ? stat.comm == keeper::launching_comm : record().pid != run.pid;
}

// The journal's process is none any more: what is launched next is not to be taken for it.
void Life::forget_spawned() {
  if (record().pid) instance_.record(event("spawned"));
}

// Its keeper and manager are both gone (or the machine was booted anew), and with them its terminal or pipe. What is
// left of it is ended before a replacement may start: never two copies.
asio::awaitable<void> Life::record_lost() {
  const bool asked = job_.state == JobState::stopping;
  job_.state = JobState::stopping;  // not running any more for whoever asks, and not at rest either
  (void)co_await sweep_lost(&instance_, self());
  Event exited = event("exited");
  exited.core = false;
  exited.ran = std::max(0.0, exited.t - record().started_at.value_or(exited.t));
  if (asked) exited.asked = true;
  instance_.record(std::move(exited));
  job_.state = JobState::dead;
  job_.changed();
}

asio::awaitable<void> Life::rest() {
  while (at_rest(job_.state) && !job_.removed) {
    deadline_ = Wakeup::never;
    if (job_.state == JobState::waiting) {
      const double left = record().waiting_until.value_or(0) - unix_now();
      // A clock that was set back must not make a job wait longer than it ever should.
      const Duration longest = instance_.settings().value_or(Settings()).longest_wait;
      const double bounded = std::clamp(left, 0.0, std::chrono::duration<double>(longest).count());
      deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(bounded));
    }
    const JobEvent event = co_await next_event();
    const bool begins = event == JobEvent::start || event == JobEvent::restart;
    // A stop, or the shutdown, may have come after it.
    if (begins && (!record().wanted || instance_.shutting_down)) continue;
    if (!begins) instance_.drop_input(job_.name);  // a later run has none
    if (!job_.removed) (void)advance(event);
  }
}

asio::awaitable<void> Life::pre_run() {
  if (job_.state == JobState::starting) {
    never_began_ = false;
    failure_.clear();
    job_.killed = false;
    deadline_ = Wakeup::never;
    if (!job_.conf) {
      (void)advance(JobEvent::broken);
      co_return;
    }
    if (job_.conf->pre_cmd.empty()) co_return;
    const bool begun = co_await start_process(Phase::pre);
    (void)advance(begun ? JobEvent::hook_begun : JobEvent::exited);
    fault_point("manager.pre-run");
  }
  co_await attend();
  if (job_.state != JobState::starting) {
    never_began_ = true;
    co_return;
  }
  co_await drain();
  instance_.release_run(job_);
}

asio::awaitable<void> Life::program() {
  if (job_.state != JobState::starting) co_return;
  if (!job_.conf) {
    (void)advance(JobEvent::broken);
    co_return;
  }
  const bool began = co_await start_process(Phase::main);
  (void)advance(began ? JobEvent::begun : JobEvent::exited);
  fault_point("manager.running");
  if (began) note_binary();
}

// True once the process has become its program. Else why it did not is in failure_, and what there is of the run is to
// be buried.
asio::awaitable<bool> Life::start_process(Phase phase) {
  auto place = co_await instance_.launches().enter();
  asio::steady_timer pause(instance_.io());
  for (;;) {
    const pid_t keeper = instance_.keeper().keeper_pid();
    Launching launching(&instance_, item_id(record().run_id.value_or(""), phase));
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
    job_.run->end = launching.succeed();
    // Not in the journal, not let go: the child ends as its status socket closes.
    const Status journaled = instance_.commit(spawned_event(job_.name, *job_.run));
    fault_point("manager.spawn-recorded");
    instance_.capture_run(*job_.run, job_.name);
    if (!journaled) {
      launched->status.reset();
      co_return co_await give_up_launch(journaled.error().message());
    }
    std::string program = phase == Phase::main ? program_of_run() : "/bin/sh";
    const Status gone = co_await let_go(&instance_, std::move(launched->status), std::move(program));
    if (!gone) co_return co_await give_up_launch(gone.error().message());
    job_.run->marks.image = image_of(job_.run->pid);
    if (phase == Phase::main) instance_.drop_input(job_.name);
    co_return true;
  }
}

// The child is there and will not become its program.
asio::awaitable<bool> Life::give_up_launch(std::string why) {
  never_began_ = true;
  failure_ = std::move(why);
  while (!job_.run->end) co_await job_.wakeup.wait();
  co_return false;
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
  if (const auto ended = std::exchange(ended_, nullptr)) instance_.alert(job_, *ended);
}

asio::awaitable<void> Life::bury_run() {
  // What the stop signal reached with the main process has had its time from then on.
  auto kill_at = deadline_ != Wakeup::never ? deadline_ : stop_deadline();
  if (job_.killed) kill_at = Clock::now();
  deadline_ = Wakeup::never;
  fault_point("manager.exit-recorded");
  if (failure_.empty()) {
    (void)co_await sweep(&instance_, self(), kill_at);
    fault_point("manager.swept");
  } else if (job_.run->cgroup) {
    (void)job_.run->cgroup->remove();  // a process that never became its program has left nothing in it
  }
  co_await drain();
  fault_point("manager.drained");
  instance_.release_run(job_);
}

asio::awaitable<void> Life::drain() {
  instance_.capture().drain(job_.run->item_id());
  auto give_up_at = Clock::now() + drain_patience;
  while (!job_.run->drained) {
    // Only a log that can't be written is a reason not to wait.
    const auto until = job_.log_error != 0 ? give_up_at : Clock::now() + drain_patience;
    (void)co_await job_.wakeup.wait_until(until);
    if (job_.log_error == 0 || Clock::now() < give_up_at) continue;
    // A job that dies again and again must not hold ever more; one that is to stop is not kept waiting.
    if (!record().wanted || instance_.leftovers_of(job_.name) < most_leftovers) co_return;
    give_up_at = Clock::now() + drain_patience;
  }
}

asio::awaitable<void> Life::epilogue() {
  if (job_.state == JobState::dead) {
    if (never_began_ || !job_.conf || job_.conf->post_cmd.empty()) co_return;
    // What was asked meanwhile is in the journal's `wanted` and `anew`. But for a stop that a start has followed: its
    // time runs for the hook as well.
    std::erase_if(job_.events, [](JobEvent asked) { return asked != JobEvent::stop; });
    if (!co_await start_process(Phase::post)) {
      instance_.record_error(job_.name, "the post-run hook could not be started: " + failure_);
      co_await bury();
      co_return;
    }
    (void)advance(JobEvent::hook_begun);
    fault_point("manager.post-run");
  }
  if (job_.state != JobState::post_run) co_return;
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
  instance_.drop_input(job_.name);
  job_.events.clear();
  const JobRecord& now = record();
  if (job_.removed || !now.wanted || instance_.shutting_down) {
    (void)advance(JobEvent::finished);
    return;
  }
  const ExitView exit = now.last_exit.value_or(ExitView{});
  if (now.anew || exit.asked.value_or(false)) {
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
  const Settings settings = instance_.settings().value_or(Settings());
  const Backoff::Rules rules{
      .runaway_protect = conf().runaway_protect, .first = settings.first_wait, .longest = settings.longest_wait};
  pause_ = Backoff::delay(rules, static_cast<int>(now.young_ends), bounded_seconds(exit.ran), random01());
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
      job_.events.erase(job_.events.begin());
      co_return event;
    }
    if (Clock::now() >= deadline_) {
      deadline_ = Wakeup::never;
      co_return JobEvent::deadline;
    }
    (void)co_await job_.wakeup.wait_until(deadline_);
  }
}

void Life::send_stop() {
  Run& run = *job_.run;
  if (conf().tree == TreeTier::subreaper) note_tree(run);
  const int signal = run.phase == Phase::main ? conf().stop_signal : SIGTERM;
  // A process that is gone already has been seen to, or will be in a moment.
  (void)signal_group(run, signal);
  (void)signal_group(run, SIGCONT);  // a stopped one could not answer
  fault_point("manager.stop-signalled");
  deadline_ = stop_deadline();
}

// Counted from where the journal has the stop begin: managers that are killed in turn come to SIGKILL all the same.
Wakeup::Clock::time_point Life::stop_deadline() const {
  const Duration whole = conf().stop_timeout;
  const double now = unix_now();
  const Duration gone = bounded_seconds(now - record().stopping_at.value_or(now));
  return Clock::now() + std::clamp(whole - gone, Duration::zero(), whole);  // the clock may have been set meanwhile
}

void Life::send_kill() {
  job_.killed = true;
  if (job_.run->cgroup) (void)job_.run->cgroup->kill();
  (void)signal_group(*job_.run, SIGKILL);
  fault_point("manager.stop-killed");
}

}  // namespace usvc
