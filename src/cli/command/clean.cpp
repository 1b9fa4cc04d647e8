#include "cli/command.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "shapes/routes.h"

namespace usvc::command {

Result<int> clean(const Invocation& invocation) {
  if (auto status = need_selectors(invocation, "clean"); !status) return pass(status);
  SelectRequest request;
  request.selectors = invocation.arguments.words;
  auto reply = Remote(invocation.context, NoInstance::offline).select(route::clean, std::move(request));
  if (!reply) return pass(reply);
  return report(invocation.context, *reply, {"clean", "cleaned"});
}

}  // namespace usvc::command
