#include "manager/operations.h"

namespace usvc {

asio::awaitable<Outcomes> rotate_jobs(Instance* instance, SelectRequest request) {
  auto jobs = instance->select(request.selectors);
  if (!jobs) co_return pass(jobs);
  OutcomesReply reply;
  for (const auto& job : *jobs) {
    Outcome outcome;
    outcome.name = job->name;
    outcome.log = instance->log_path_of(*job);
    bool rotated = false;
    const auto paths = instance->log_paths_of(*job);
    for (const auto& path : paths) {
      const auto renamed = co_await instance->rotator().rotate(path);
      rotated = rotated || (renamed && !renamed->empty());
      if (renamed) continue;
      outcome.ok = false;
      outcome.message = renamed.error().message();
    }
    if (outcome.ok && !rotated) {
      outcome.skipped = true;
      outcome.message = "its log is empty";
    }
    reply.results.push_back(std::move(outcome));
  }
  co_return reply;
}

}  // namespace usvc
