#include "base/signals.h"
#include "manager/operations.h"

namespace usvc {

asio::awaitable<Outcomes> signal_jobs(Instance* instance, SelectRequest request) {
  const auto signal = parse_signal(request.signal.value_or(""));
  if (!signal) co_return fail(Error(signal.error()).as(ErrorKind::usage));
  auto jobs = instance->select(request.selectors);
  if (!jobs) co_return pass(jobs);
  OutcomesReply reply;
  for (const auto& job : *jobs) {
    Outcome outcome;
    outcome.name = job->name;
    if (!job->run || job->run->end || job->run->phase != Phase::main) {
      outcome.ok = false;
      outcome.message = "it is not running";
    } else if (!acted_on(*instance, request.key, job->name)) {
      Event acted;
      acted.event = "request";
      acted.job = job->name;
      acted.message = "signal " + signal_name(*signal);
      if (!request.key.empty()) acted.key = request.key;
      // First: a signal that comes twice can do harm, one that is told as failed is sent again by who wants it.
      Status sent = instance->commit(std::move(acted));
      const bool whole_group = request.whole_group.value_or(false);
      if (sent) sent = whole_group ? signal_group(*job->run, *signal) : signal_main(*job->run, *signal);
      if (!sent) {
        outcome.ok = false;
        outcome.message = sent.error().message();
      }
      outcome.pid = job->run->pid;
    }
    reply.results.push_back(std::move(outcome));
  }
  co_return reply;
}

}  // namespace usvc
