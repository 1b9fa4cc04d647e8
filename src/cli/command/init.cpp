#include "cli/boot.h"
#include "cli/command.h"
#include "cli/foreground.h"
#include "cli/json_out.h"
#include "cli/remote.h"

namespace usvc::command {

namespace {

Status check_options(const Invocation& invocation) {
  if (auto status = need_no_words(invocation, "init"); !status) return status;
  int given = 0;
  for (const char* option : {"--boot", "--no-boot", "--foreground"}) given += invocation.arguments.has(option) ? 1 : 0;
  if (given <= 1) return {};
  return fail(
      Error("only one of --boot, --no-boot and --foreground can be given", ErrorKind::usage).hint("usvc help init"));
}

Status show(const Context& context, const VarsView& vars) {
  return context.json ? print_json(json::value(vars_with_boot(vars, context))) : Status();
}

Result<int> no_boot(const Context& context) {
  auto removed = remove_boot(context);
  if (!removed) return pass(removed);
  for (const auto& what : *removed) {
    if (auto status = say(context, "usvc: does not start with the machine any more: removed " + what); !status) {
      return pass(status);
    }
  }
  if (removed->empty()) {
    if (auto status = say(context, "usvc: nothing starts it with the machine"); !status) return pass(status);
  }
  if (!context.json) return 0;
  auto vars = Remote(context, NoInstance::offline).vars();
  if (!vars) return pass(vars);
  if (auto status = show(context, *vars); !status) return pass(status);
  return 0;
}

// Starts it unless it runs, and says where; the document of --json is the caller's to print, at the end.
Result<VarsView> start(const Context& context) {
  Remote remote(context, NoInstance::start);
  // An answer is the only proof that it runs: its lock is also held by one that is just dying.
  const auto all = remote.jobs({});
  if (!all) return fail(all.error());
  for (const auto& trouble : all->troubles) complain(trouble);
  auto vars = remote.vars();
  if (!vars) return pass(vars);
  auto said = say(context, remote.started() ? "usvc: started in " + vars->home : "usvc: already running");
  if (!said) return pass(said);
  return vars;
}

Result<int> with_boot(const Context& context) {
  auto set_up = set_up_boot(context);
  auto started = start(context);
  if (!started) return pass(started);
  if (!set_up) return pass(set_up);
  if (auto status = show(context, *started); !status) return pass(status);
  if (auto status = say(context, "usvc: starts with the machine: " + set_up->how); !status) return pass(status);
  if (set_up->remark) complain(set_up->remark->message());
  if (!set_up->drawback) return 0;
  complain(set_up->drawback->message());
  return 1;
}

}  // namespace

Result<int> init(const Invocation& invocation) {
  if (auto status = check_options(invocation); !status) return pass(status);
  Context& context = invocation.context;
  const Arguments& arguments = invocation.arguments;
  if (arguments.has("--no-boot")) return no_boot(context);
  if (arguments.has("--foreground")) return stay_in_foreground(context);
  if (arguments.has("--boot")) return with_boot(context);
  auto started = start(context);
  if (!started) return pass(started);
  if (auto status = show(context, *started); !status) return pass(status);
  return 0;
}

std::vector<Flag> init_flags() {
  return {{"--boot", 0, "", "start it with the machine from now on, and now"},
          {"--no-boot", 0, "", "do not start it with the machine any more"},
          {"--foreground", 0, "", "stay until it ends, and end it when told to"}};
}

}  // namespace usvc::command
