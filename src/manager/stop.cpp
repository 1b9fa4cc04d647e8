#include <map>
#include <optional>

#include "base/fault_point.h"
#include "base/signals.h"
#include "base/time.h"
#include "manager/operations.h"
#include "manager/pile_up.h"
#include "manager/sweep.h"

namespace usvc {

namespace {

constexpr std::size_t at_once = 32;

Outcome stopped(const Job& job, bool was_live) {
  Outcome outcome;
  outcome.name = job.name;
  if (!was_live) {
    outcome.message = "it was not running";
    outcome.skipped = true;
  } else if (job.killed && job.conf) {
    outcome.message = "had to be killed: " + signal_name(job.conf->stop_signal) + " did not end it within " +
                      format_duration(job.conf->stop_timeout);
  }
  return outcome;
}

bool at_rest(const Job& job) {
  return job.removed || job.idle();
}

}  // namespace

asio::awaitable<Outcomes> stop_jobs(Instance* instance, SelectRequest request, std::shared_ptr<Caller> caller) {
  auto jobs = instance->select(request.selectors);
  if (!jobs) co_return pass(jobs);
  request.selectors = {};
  Wakeup wakeup(instance->io());
  Watching watching(&wakeup);
  const Caller::Attention attention(caller.get(), &wakeup);
  std::vector<bool> was_live;
  std::map<std::string, std::optional<std::string>> run_ids;
  for (const auto& job : *jobs) {
    // The first ones end while the others are being asked.
    if (was_live.size() % at_once == at_once - 1) co_await let_others_in(&instance->io());
    was_live.push_back(!at_rest(*job));
    watching.add(job);
    if (job->removed) continue;  // meanwhile
    if (!acted_on(*instance, request.key, job->name)) {
      if (auto journaled = set_wanted(*instance, job->name, Wanted::no, request.key); !journaled)
        co_return pass(journaled);
    }
    fault_point("manager.stop-wanted");
    if (!job->run) job->killed = false;  // that was another stop's
    // Asked again for a lost answer, it must not stop what somebody has started since.
    if (!instance->record_of(*job).wanted) job->post(JobEvent::stop);
    run_ids[job->name] = instance->record_of(*job).run_id;
  }
  std::vector<std::shared_ptr<Job>> open = *jobs;
  for (;;) {
    // One that somebody starts again meanwhile is over with when its next run has begun.
    std::erase_if(open, [&](const auto& job) {
      const JobRecord& record = instance->record_of(*job);
      return at_rest(*job) || !instance->online() || record.wanted || record.run_id != run_ids[job->name];
    });
    if (open.empty() || caller->gone()) break;  // the jobs' own lives see the stop through
    co_await wakeup.wait();
    co_await let_changes_pile_up(&instance->io(), open.size());
  }
  OutcomesReply reply;
  for (std::size_t i = 0; i < jobs->size(); ++i) {
    const Job& job = *(*jobs)[i];
    Outcome outcome = stopped(job, was_live[i]);
    if (const auto none = no_survivor(*instance, job); !none) {
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
  std::vector<std::shared_ptr<Job>> open;
  for (const auto& [name, job] : instance->jobs()) {
    if (at_rest(*job)) continue;
    open.push_back(job);
    watching.add(job);
    job->post(JobEvent::stop);
  }
  const auto all = open;
  for (;;) {
    std::erase_if(open, [](const auto& job) { return at_rest(*job); });
    if (open.empty()) break;
    co_await wakeup.wait();
    co_await let_changes_pile_up(&instance->io(), open.size());
  }
  for (const auto& job : all) reply.results.push_back(stopped(*job, true));
  co_return reply;
}

}  // namespace usvc
