#include <algorithm>

#include "base/time.h"
#include "manager/operations.h"
#include "manager/pile_up.h"

namespace usvc {

namespace {

using Clock = Wakeup::Clock;

// What is waited for in one job.
struct Awaited {
  std::shared_ptr<Job> job;
  std::optional<std::string> run_id;  // exit: of this run
};

bool reached(Instance& instance, const Awaited& awaited, const std::string& condition, Clock::time_point& look_again) {
  const Job& job = *awaited.job;
  if (job.removed) return condition == "stopped" || condition == "exit";
  const JobRecord& record = instance.record_of(job);
  if (condition == "stopped") return job.idle();
  if (condition == "exit") {
    if (record.run_id != awaited.run_id) return true;  // a later run has begun
    return record.exit_recorded && (!job.run || job.run->drained);
  }
  if (job.state != JobState::running) return false;
  if (condition == "running") return true;
  const auto settled_at = job.settled_at();
  look_again = std::min(look_again, settled_at);
  return Clock::now() >= settled_at;
}

void add_cleaned(WaitResult& result, const CleanedJob& cleaned) {
  result.exit = cleaned.exit;
  result.log = cleaned.log;
  result.error_log = cleaned.error_log;
}

// Of a run whose job was cleaned before this was asked.
WaitReply reply_of_cleaned(const WaitRequest& request, const CleanedJob& cleaned) {
  WaitReply reply;
  WaitResult& result = reply.results.emplace_back();
  if (!request.selectors.empty()) result.name = request.selectors.front();
  result.reached = request.condition == "stopped" || request.condition == "exit";
  result.state = to_string(JobState::stopped);
  add_cleaned(result, cleaned);
  return reply;
}

WaitResult result_of(Instance& instance, const Job& job, bool was_reached, const std::optional<std::string>& run_id) {
  WaitResult result;
  result.name = job.name;
  result.reached = was_reached;
  result.state = to_string(job.known_state());
  const auto is_asked = [&](const std::optional<std::string>& id) { return !run_id || run_id == id; };
  if (job.cleaned) {
    if (is_asked(job.cleaned->run_id)) add_cleaned(result, *job.cleaned);
  } else if (const auto& last = instance.record_of(job).last_exit; last && is_asked(last->run_id)) {
    result.exit = *last;
  }
  if (run_id && instance.output_waits(*run_id)) result.output_waits = true;
  return result;
}

}  // namespace

asio::awaitable<Result<WaitReply>> wait_for_jobs(Instance* instance, WaitRequest request,
                                                 std::shared_ptr<Caller> caller) {
  if (request.condition != "running" && request.condition != "ready" && request.condition != "stopped" &&
      request.condition != "exit") {
    co_return fail("cannot wait for '" + request.condition + "' (running, ready, stopped or exit)", ErrorKind::usage);
  }
  if (const auto cleaned = request.run_id ? instance->cleaned_run(*request.run_id) : nullptr) {
    co_return reply_of_cleaned(request, *cleaned);
  }
  auto jobs = instance->select(request.selectors);
  if (!jobs) co_return pass(jobs);
  request.selectors = {};  // it may be long until this is over
  Wakeup wakeup(instance->io());
  Watching watching(&wakeup);
  const Caller::Attention attention(caller.get(), &wakeup);
  std::vector<Awaited> awaited;
  for (const auto& job : *jobs) {
    awaited.push_back({job, request.run_id ? request.run_id : instance->record_of(*job).run_id});
    watching.add(job);
  }
  auto deadline = Wakeup::never;
  if (request.timeout_seconds) {
    const double bounded = std::clamp(*request.timeout_seconds, 0.0, 1e9);
    deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(bounded));
  }
  std::vector<bool> done(awaited.size());
  WaitReply reply;
  for (;;) {
    auto look_again = deadline;
    for (std::size_t i = 0; i < awaited.size(); ++i) {
      done[i] = done[i] || reached(*instance, awaited[i], request.condition, look_again);
    }
    if (std::find(done.begin(), done.end(), false) == done.end()) break;
    if (caller->gone()) break;
    if (Clock::now() >= deadline) {
      reply.timed_out = true;
      break;
    }
    (void)co_await wakeup.wait_until(look_again);
    co_await let_changes_pile_up(&instance->io(), awaited.size());
  }
  instance->notice_edited_confs();
  for (std::size_t i = 0; i < awaited.size(); ++i) {
    reply.results.push_back(result_of(*instance, *awaited[i].job, done[i], request.run_id));
  }
  co_return reply;
}

}  // namespace usvc
