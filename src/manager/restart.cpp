#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "manager/conf_store.h"
#include "manager/in_worker.h"
#include "manager/operations.h"

namespace usvc {

namespace {

Result<Begun> ask(Instance& instance, const std::shared_ptr<Job>& job, const std::string& key) {
  const JobRecord& record = instance.record_of(*job);
  const SeenRequest* seen = acted_on(instance, key, job->name) ? instance.seen(key) : nullptr;
  const bool begun_since = seen != nullptr && record.started_at.value_or(0) > seen->t;
  // A run that is just beginning is a new one, unless it has been told to stop; so is one that has begun since this was
  // asked the first time.
  const bool begins = job->state == JobState::starting && record.wanted && !record.anew;
  if (begun_since || begins) return Begun{job, record.runs - 1};
  Begun begun{job, record.runs};
  if (seen == nullptr) {
    if (auto journaled = set_wanted(instance, job->name, Wanted::anew, key); !journaled) return pass(journaled);
  }
  job->post(JobEvent::restart);
  return begun;
}

// Why the next run of a job could not begin, as far as its files tell.
using Obstacle = std::optional<Error>;

Obstacle obstacle(const Layout& layout, const std::string& name) {
  const auto conf = load_conf(layout, name);
  if (!conf) return conf.error();
  const auto env = load_environment(layout, name);
  if (!env) return env.error();
  const auto program = find_program(conf->conf, *env);
  if (!program) return program.error();
  return std::nullopt;
}

using Jobs = std::vector<std::shared_ptr<Job>>;

// One for each. A conf that can't be used, or a program that is not there, must not cost a job that runs well. What was
// done before its answer was lost is done. In a worker: a program may be on a disk that does not answer.
asio::awaitable<std::vector<Obstacle>> obstacles(Instance* instance, const Jobs& jobs, const std::string& key) {
  std::vector<std::optional<std::string>> live;
  for (const auto& job : jobs) {
    const bool looked_at = is_live(job->state) && !acted_on(*instance, key, job->name);
    live.push_back(looked_at ? std::optional(job->name) : std::nullopt);
  }
  auto look = [&layout = instance->layout(), live = std::move(live)] {
    std::vector<Obstacle> found;
    for (const auto& name : live) found.push_back(name ? obstacle(layout, *name) : std::nullopt);
    return found;
  };
  co_return co_await in_worker(instance, std::move(look));
}

Outcome spared(const Job& job, const Error& why) {
  Outcome outcome;
  outcome.name = job.name;
  outcome.ok = false;
  outcome.message = why.message();
  outcome.hint = "it was left running as it is";
  return outcome;
}

asio::awaitable<Outcomes> restart_at_once(Instance* instance, Jobs jobs, std::string key) {
  OutcomesReply reply;
  std::vector<Begun> begun;
  const std::vector<Obstacle> found = co_await obstacles(instance, jobs, key);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i]->removed || instance->shutting_down) {
      reply.results.push_back(creation_failed(jobs[i]->name, not_made(*instance)));
    } else if (found[i] && is_live(jobs[i]->state)) {
      reply.results.push_back(spared(*jobs[i], *found[i]));
    } else {
      auto asked = ask(*instance, jobs[i], key);
      if (!asked) co_return pass(asked);
      begun.push_back(std::move(*asked));
    }
  }
  auto outcomes = co_await settle(instance, std::move(begun));
  for (auto& outcome : outcomes) reply.results.push_back(std::move(outcome));
  co_return reply;
}

asio::awaitable<Outcomes> restart_in_turn(Instance* instance, Jobs jobs, std::string key) {
  OutcomesReply reply;
  bool going_well = true;
  for (const auto& job : jobs) {
    if (!going_well) {
      Outcome left;
      left.name = job->name;
      left.ok = false;
      left.message = "was left alone, since the one before failed";
      reply.results.push_back(std::move(left));
      continue;
    }
    auto outcomes = co_await restart_at_once(instance, Jobs(1, job), key);
    if (!outcomes) co_return outcomes;
    if (job->removed) continue;  // that is no failure
    for (auto& outcome : outcomes->results) {
      going_well = outcome.ok;
      reply.results.push_back(std::move(outcome));
    }
  }
  co_return reply;
}

}  // namespace

asio::awaitable<Outcomes> restart_jobs(Instance* instance, SelectRequest request) {
  if (instance->shutting_down) co_return fail(being_shut_down);
  instance->find_new_confs();
  auto jobs = instance->select(request.selectors);
  if (!jobs) co_return pass(jobs);
  const auto restart = request.rolling.value_or(false) ? restart_in_turn : restart_at_once;
  co_return co_await restart(instance, std::move(*jobs), std::move(request.key));
}

}  // namespace usvc
