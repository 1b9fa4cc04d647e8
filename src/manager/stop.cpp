#include <optional>
#include <string>
#include <vector>

#include "base/fault_point.h"
#include "base/signals.h"
#include "base/time.h"
#include "manager/operations.h"
#include "manager/pile_up.h"
#include "manager/sweep.h"

namespace usvc {

namespace {

constexpr std::size_t at_once = 32;

bool at_rest(const Job& job) {
  return job.removed || job.idle();
}

// What is to be stopped of a job: the run that it had then, whatever is asked of the job later.
struct Stopping {
  std::shared_ptr<Job> job;
  bool was_live = false;
  std::shared_ptr<const Conf> conf;  // by which it is stopped
  std::optional<std::string> run_id;
  bool started_since = false;  // asked again for a lost answer: what runs now is not what was to be stopped
};

Stopping stopping(Instance& instance, const std::shared_ptr<Job>& job) {
  return {.job = job, .was_live = !at_rest(*job), .conf = job->conf, .run_id = instance.record_of(*job).run_id};
}

std::vector<const Stopping*> pointers_to(const std::vector<Stopping>& all) {
  std::vector<const Stopping*> pointers;
  pointers.reserve(all.size());
  for (const auto& one : all) pointers.push_back(&one);
  return pointers;
}

// Nothing is left of it; or nobody waits for that, since another run has begun.
bool is_over(Instance& instance, const Stopping& one) {
  if (at_rest(*one.job) || !instance.online() || one.started_since) return true;
  return instance.record_of(*one.job).run_id != one.run_id;
}

// The stop signal was not enough, as the job itself knows, or the journal, which outlives the next run's beginning.
bool was_killed(Instance& instance, const Stopping& one) {
  if (one.job->removed) return one.job->killed;
  const JobRecord& record = instance.record_of(*one.job);
  if (record.run_id == one.run_id && one.job->killed) return true;
  return record.last_exit && record.last_exit->run_id == one.run_id && record.last_exit->forced.value_or(false);
}

std::string how_it_went(Instance& instance, const Stopping& one) {
  std::string text;
  if (was_killed(instance, one) && one.conf) {
    text = "had to be killed: " + signal_name(one.conf->stop_signal) + " did not end it within " +
           format_duration(one.conf->stop_timeout);
  }
  const bool again = !one.job->removed && !instance.shutting_down && instance.record_of(*one.job).wanted;
  if (again) text += std::string(text.empty() ? "" : "; ") + "it has been asked to start again meanwhile";
  return text;
}

Outcome outcome_of(Instance& instance, const Stopping& one) {
  Outcome outcome;
  outcome.name = one.job->name;
  if (one.was_live) {
    outcome.message = how_it_went(instance, one);
  } else {
    outcome.message = "it was not running";
    outcome.skipped = true;
  }
  return outcome;
}

}  // namespace

asio::awaitable<Outcomes> stop_jobs(Instance* instance, SelectRequest request, std::shared_ptr<Caller> caller) {
  auto jobs = instance->select(request.selectors);
  if (!jobs) co_return pass(jobs);
  request.selectors = {};
  Wakeup wakeup(instance->io());
  Watching watching(&wakeup);
  const Caller::Attention attention(caller.get(), &wakeup);
  std::vector<Stopping> all;
  for (const auto& job : *jobs) {
    // The first ones end while the others are being asked.
    if (all.size() % at_once == at_once - 1) co_await let_others_in(&instance->io());
    all.push_back(stopping(*instance, job));
    watching.add(job);
    if (job->removed) continue;  // meanwhile
    if (!acted_on(*instance, request.key, job->name)) {
      if (auto journaled = set_wanted(*instance, job->name, Wanted::no, request.key); !journaled)
        co_return pass(journaled);
    }
    fault_point("manager.stop-wanted");
    if (!job->run) job->killed = false;  // that was another stop's
    // Asked again for a lost answer, it must not stop what somebody has started since.
    const JobRecord& record = instance->record_of(*job);
    const SeenRequest* seen = instance->seen(request.key);
    if (!record.wanted)
      job->post(JobEvent::stop);
    else
      all.back().started_since = seen != nullptr && record.started_at.value_or(0) > seen->t;
  }
  auto open = pointers_to(all);
  for (;;) {
    std::erase_if(open, [&](const Stopping* one) { return is_over(*instance, *one); });
    if (open.empty() || caller->gone()) break;  // the jobs' own lives see the stop through
    co_await wakeup.wait();
    co_await let_changes_pile_up(&instance->io(), open.size());
  }
  OutcomesReply reply;
  for (const auto& one : all) {
    Outcome outcome = outcome_of(*instance, one);
    if (const auto none = no_survivor(*instance, *one.job); !none) {
      outcome.ok = outcome.skipped = false;
      outcome.message = none.error().message();
      outcome.hint = "usvc init ends it";
    }
    reply.results.push_back(std::move(outcome));
  }
  co_return reply;
}

asio::awaitable<Outcomes> shut_down(Instance* instance) {
  instance->shutting_down = true;
  Wakeup wakeup(instance->io());
  Watching watching(&wakeup);
  OutcomesReply reply;
  std::vector<Stopping> all;
  for (const auto& [name, job] : instance->jobs()) {
    if (at_rest(*job)) continue;
    all.push_back(stopping(*instance, job));
    watching.add(job);
    job->post(JobEvent::stop);
  }
  auto open = pointers_to(all);
  for (;;) {
    std::erase_if(open, [](const Stopping* one) { return at_rest(*one->job); });
    if (open.empty()) break;
    co_await wakeup.wait();
    co_await let_changes_pile_up(&instance->io(), open.size());
  }
  for (const auto& one : all) reply.results.push_back(outcome_of(*instance, one));
  co_return reply;
}

}  // namespace usvc
