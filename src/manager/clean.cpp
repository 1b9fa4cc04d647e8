#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/fault_point.h"
#include "base/files.h"
#include "base/time.h"
#include "manager/operations.h"

namespace usvc {

namespace {

Status move_log(const Instance& instance, const Job& job) {
  const std::string log = job.conf ? job.conf->log : instance.layout().log_path(job.name);
  std::string stamp = format_time(unix_now());
  std::replace(stamp.begin(), stamp.end(), ' ', 'T');
  std::erase(stamp, ':');
  const std::string old = instance.layout().old_logs_dir + "/" + job.name + ".log." + stamp;
  if (std::rename(log.c_str(), old.c_str()) != 0 && errno != ENOENT) {
    return fail(Error::last("cannot move " + log + " to " + old));
  }
  (void)std::rename(instance.layout().index_path(job.name).c_str(), (old + ".idx").c_str());  // there may be none
  return {};
}

}  // namespace

Status forget_job(Instance& instance, const std::shared_ptr<Job>& job) {
  const Layout& layout = instance.layout();
  fault_point("manager.clean-recorded");
  if (auto moved = move_log(instance, *job); !moved) return moved;
  fault_point("manager.clean-log-moved");
  // The conf goes first: a job without one is none, whatever else a kill leaves lying about.
  for (const auto& path : {layout.conf_path(job->name), layout.env_path(job->name), layout.work_path(job->name)}) {
    if (auto removed = remove_all(path); !removed) return removed;
    fault_point("manager.clean-conf-removed");
  }
  instance.remove_job(job);
  fault_point("manager.cleaned");
  return {};
}

asio::awaitable<Outcomes> clean_jobs(Instance* instance, SelectRequest request) {
  // Asked again after it had been done: the job is not there to be found.
  const SeenRequest* seen = instance->seen(request.key);
  if (seen != nullptr && !seen->jobs.empty() && !instance->find(seen->jobs.front())) {
    OutcomesReply done;
    for (const auto& name : seen->jobs) {
      Outcome outcome;
      outcome.name = name;
      done.results.push_back(std::move(outcome));
    }
    co_return done;
  }
  auto jobs = instance->select(request.selectors);
  if (!jobs) co_return pass(jobs);
  OutcomesReply reply;
  for (const auto& job : *jobs) {
    Outcome outcome;
    outcome.name = job->name;
    const bool idle = (job->state == JobState::stopped || job->state == JobState::invalid) && !job->run;
    const bool named =
        std::find(request.selectors.begin(), request.selectors.end(), job->name) != request.selectors.end();
    if (!idle && instance->online()) {
      outcome.ok = !named;
      outcome.skipped = !named;
      outcome.message = job->state == JobState::waiting ? "it waits for its next start" : "it runs";
      outcome.hint = "usvc stop " + job->name;
    } else {
      if (!request.key.empty()) {
        Event acted;
        acted.event = "request";
        acted.job = job->name;
        acted.key = request.key;
        instance->record(std::move(acted));
      }
      if (auto forgotten = forget_job(*instance, job); !forgotten) {
        outcome.ok = false;
        outcome.message = forgotten.error().message();
      }
    }
    reply.results.push_back(std::move(outcome));
  }
  co_return reply;
}

}  // namespace usvc
