#include "cli/command.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "shapes/routes.h"

namespace usvc::command {

std::vector<Flag> restart_flags() {
  return {{"--rolling", 0, "", "one at a time, each up before the next; stops at the first failure"}};
}

Result<int> restart(const Invocation& invocation) {
  if (auto status = need_selectors(invocation, "restart"); !status) return pass(status);
  SelectRequest request;
  request.selectors = invocation.arguments.words;
  if (invocation.arguments.has("--rolling")) request.rolling = true;
  auto reply = Remote(invocation.context, NoInstance::refuse, "restart").select(route::restart, std::move(request));
  if (!reply) return pass(reply);
  return report(invocation.context, *reply, {"restart", "restarted"});
}

}  // namespace usvc::command
