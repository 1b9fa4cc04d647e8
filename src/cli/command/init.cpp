#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/remote.h"

namespace usvc::command {

Result<int> init(const Invocation& invocation) {
  if (auto status = need_no_words(invocation, "init"); !status) return pass(status);
  const Context& context = invocation.context;
  Remote remote(context, NoInstance::start);
  // An answer is the only proof that it runs: its lock is also held by one that is just dying.
  const auto all = remote.jobs({});
  if (!all) return fail(all.error());
  for (const auto& trouble : all->troubles) complain(trouble);
  auto vars = remote.vars();
  if (!vars) return pass(vars);
  auto status = context.json
                    ? print_json(*vars)
                    : say(context, remote.started() ? "usvc: started in " + vars->home : "usvc: already running");
  if (!status) return pass(status);
  return 0;
}

}  // namespace usvc::command
