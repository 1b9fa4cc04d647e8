#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "manager/conf_store.h"
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

// A conf that can't be used, or a program that is not there, must not cost a job that runs well. What was done before
// its answer was lost is done.
std::optional<Outcome> spared(Instance& instance, const Job& job, const std::string& key) {
  if (!is_live(job.state) || acted_on(instance, key, job.name)) return std::nullopt;
  auto conf = load_conf(instance.layout(), job.name);
  auto env = load_environment(instance.layout(), job.name);
  const auto program = !conf  ? Result<std::string>(pass(conf))
                       : !env ? Result<std::string>(pass(env))
                              : find_program(conf->conf, *env);
  if (program) return std::nullopt;
  Outcome outcome;
  outcome.name = job.name;
  outcome.ok = false;
  outcome.message = program.error().message();
  outcome.hint = "it was left running as it is";
  return outcome;
}

using Jobs = std::vector<std::shared_ptr<Job>>;

asio::awaitable<Outcomes> restart_at_once(Instance* instance, Jobs jobs, std::string key) {
  OutcomesReply reply;
  std::vector<Begun> begun;
  for (const auto& job : jobs) {
    if (auto outcome = spared(*instance, *job, key)) {
      reply.results.push_back(std::move(*outcome));
      continue;
    }
    auto asked = ask(*instance, job, key);
    if (!asked) co_return pass(asked);
    begun.push_back(std::move(*asked));
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
    if (auto outcome = spared(*instance, *job, key)) {
      going_well = false;
      reply.results.push_back(std::move(*outcome));
      continue;
    }
    std::vector<Begun> one;
    auto asked = ask(*instance, job, key);
    if (!asked) co_return pass(asked);
    one.push_back(std::move(*asked));
    auto outcome = co_await settle(instance, std::move(one));
    going_well = outcome.front().ok;
    reply.results.push_back(std::move(outcome.front()));
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
