#include "cli/command.h"
#include "cli/instance.h"
#include "cli/json_out.h"
#include "cli/remote.h"

namespace usvc::command {

Result<int> init(const Invocation& invocation) {
  if (auto status = need_no_words(invocation, "init"); !status) return pass(status);
  const Context& context = invocation.context;
  const bool ran = instance_runs(context.layout);
  if (!ran) {
    if (auto status = start_instance(context); !status) return pass(status);
  }
  auto vars = Remote(context, NoInstance::start).vars();
  if (!vars) return pass(vars);
  // It was started all the same; what it stumbled over is told now rather than never.
  if (const auto all = Remote(context, NoInstance::refuse).jobs({})) {
    for (const auto& trouble : all->troubles) complain(trouble);
  }
  auto status =
      context.json ? print_json(*vars) : say(context, ran ? "usvc: already running" : "usvc: started in " + vars->home);
  if (!status) return pass(status);
  return 0;
}

}  // namespace usvc::command
