#include "cli/command.h"
#include "cli/command/attach_session.h"
#include "cli/instance.h"
#include "cli/json_out.h"
#include "cli/remote.h"
#include "cli/report.h"

namespace usvc::command {

Result<int> shutdown(const Invocation& invocation) {
  if (auto status = need_no_words(invocation, "shutdown"); !status) return pass(status);
  const Context& context = invocation.context;
  auto reply = Remote(context, NoInstance::refuse, "shut down").shutdown();
  // What was asked for is so already.
  if (!reply && reply.error().kind() == ErrorKind::unreachable && !instance_runs(context.layout)) {
    auto status = context.json ? print_json(OutcomesReply{}) : say(context, "usvc: no instance runs here");
    if (!status) return pass(status);
    return 0;
  }
  if (!reply) return pass(reply);
  auto status = report(context, *reply, {"stop", "stopped"});
  if (!status) return status;
  if (auto ended = await_instance_end(context.layout); !ended) return pass(ended);
  if (reply->results.empty() && !context.json) {
    if (auto said = say(context, "usvc: the instance has ended; no job was running"); !said) return pass(said);
  }
  // Last: this may have been typed in it.
  if (auto ended = end_session(context.layout); !ended) return pass(ended);
  return status;
}

}  // namespace usvc::command
