#include <algorithm>

#include "base/time.h"
#include "log/tail.h"
#include "manager/exit_text.h"
#include "manager/operations.h"
#include "manager/pile_up.h"

namespace usvc {

namespace {

using Clock = Wakeup::Clock;

constexpr std::size_t shown_lines = 10;

std::string what_happens_next(const Job& job, const JobRecord& record) {
  if (!record.wanted) return {};
  if (job.state == JobState::waiting && record.waiting_until) {
    return "it is tried again in " + seconds_words(std::max(0.0, *record.waiting_until - unix_now())) + ": usvc stop " +
           job.name + " ends that";
  }
  return "it is tried again: usvc stop " + job.name + " ends that";
}

Outcome outcome_of(Instance& instance, const Job& job) {
  const JobRecord& record = instance.record_of(job);
  Outcome outcome;
  outcome.name = job.name;
  outcome.run_id = record.run_id;
  outcome.log_offset = record.log_offset;
  outcome.error_log_offset = record.error_log_offset;
  outcome.log = instance.log_path_of(job);
  if (job.run) outcome.pid = job.run->pid;
  return outcome;
}

Outcome failed(Instance& instance, const Job& job) {
  const JobRecord& record = instance.record_of(job);
  Outcome outcome = outcome_of(instance, job);
  outcome.ok = false;
  outcome.pid.reset();
  outcome.message = exit_text(*record.last_exit);
  outcome.hint = what_happens_next(job, record);
  outcome.run_id = record.last_exit->run_id;
  // The next run may have begun to write by now.
  const std::int64_t from = std::max<std::int64_t>(record.last_exit->log_offset.value_or(0), 0);
  outcome.log_offset = from;
  Span span{static_cast<std::uint64_t>(from)};
  const bool newer = !record.exit_recorded && record.log_offset > from;
  if (newer) span.end = static_cast<std::uint64_t>(*record.log_offset);
  outcome.last_output = last_lines(instance.layout(), *outcome.log, span, shown_lines);
  return outcome;
}

// Nothing yet, or how it went; `look_again` becomes the moment at which a running job has settled.
std::optional<Outcome> look(Instance& instance, const Begun& begun, Clock::time_point& look_again) {
  const Job& job = *begun.job;
  const JobRecord& record = instance.record_of(job);
  if (job.removed) {
    Outcome gone;
    gone.name = job.name;
    gone.ok = false;
    gone.message = "was forgotten meanwhile";
    // Whoever waits for the end of its run (`usvc run`) can still be told.
    if (job.cleaned && job.cleaned->runs > begun.runs_before && job.cleaned->exit) {
      gone.run_id = job.cleaned->run_id;
      gone.log_offset = job.cleaned->log_offset;
      gone.error_log_offset = job.cleaned->error_log_offset;
      gone.log = job.cleaned->log;
      gone.error_log = job.cleaned->error_log;
    }
    return gone;
  }
  if (job.state == JobState::invalid && !job.conf && job.events.empty()) {
    Outcome invalid = outcome_of(instance, job);
    invalid.ok = false;
    invalid.message = job.conf_error;
    return invalid;
  }
  if (record.runs <= begun.runs_before) {
    if (instance.shutting_down && job.state == JobState::stopped) {
      Outcome ended = outcome_of(instance, job);
      ended.ok = false;
      ended.message = being_shut_down;
      return ended;
    }
    // A stop that came after the start, before its run had begun.
    if (job.state == JobState::stopped && !record.wanted) {
      Outcome stopped = outcome_of(instance, job);
      stopped.ok = false;
      stopped.message = "was stopped meanwhile";
      return stopped;
    }
    return std::nullopt;
  }
  const bool over = record.runs > begun.runs_before + 1 || record.exit_recorded;
  const bool asked = record.last_exit && record.last_exit->asked.value_or(false);
  // Somebody stopped it; where it is wanted again already, that run is looked at.
  const bool replaced = asked && record.wanted && !record.exit_recorded;
  if (over && record.last_exit && !replaced) {
    // The sweep and the drain come first: then what it printed last is in the log.
    if (job.state == JobState::dead || job.state == JobState::post_run) return std::nullopt;
    if (asked) {
      Outcome stopped = outcome_of(instance, job);
      stopped.ok = false;
      stopped.pid.reset();
      stopped.message = "was stopped meanwhile";
      return stopped;
    }
    const bool finished = record.last_exit->code == 0 && !record.wanted;
    if (finished) {
      Outcome done = outcome_of(instance, job);
      done.message = exit_text(*record.last_exit);
      return done;
    }
    return failed(instance, job);
  }
  if (job.state != JobState::running) return std::nullopt;
  const auto settled_at = job.settled_at();
  if (Clock::now() >= settled_at) return outcome_of(instance, job);
  look_again = std::min(look_again, settled_at);
  return std::nullopt;
}

}  // namespace

asio::awaitable<std::vector<Outcome>> settle(Instance* instance, std::vector<Begun> begun) {
  Wakeup wakeup(instance->io());
  Watching watching(&wakeup);
  for (const auto& one : begun) watching.add(one.job);
  std::vector<std::optional<Outcome>> found(begun.size());
  std::vector<std::size_t> open(begun.size());
  for (std::size_t i = 0; i < open.size(); ++i) open[i] = i;
  for (;;) {
    auto look_again = Wakeup::never;
    std::erase_if(open, [&](std::size_t i) {
      found[i] = look(*instance, begun[i], look_again);
      return found[i].has_value();
    });
    if (open.empty()) break;
    (void)co_await wakeup.wait_until(look_again);
    co_await let_changes_pile_up(&instance->io(), open.size());
  }
  std::vector<Outcome> outcomes;
  outcomes.reserve(found.size());
  for (auto& outcome : found) outcomes.push_back(std::move(*outcome));
  co_return outcomes;
}

}  // namespace usvc
