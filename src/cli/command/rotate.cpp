#include "cli/command.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "shapes/routes.h"

namespace usvc::command {

Result<int> rotate(const Invocation& invocation) {
  if (auto status = need_selectors(invocation, "rotate"); !status) return pass(status);
  SelectRequest request;
  request.selectors = invocation.arguments.words;
  auto reply = Remote(invocation.context, NoInstance::refuse, "rotate").select(route::rotate, std::move(request));
  if (!reply) return pass(reply);
  return report(invocation.context, *reply, {"rotate", "rotated"});
}

}  // namespace usvc::command
