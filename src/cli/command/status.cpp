#include <string>
#include <vector>

#include "base/time.h"
#include "cli/background_task.h"
#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/observe.h"
#include "cli/remote.h"
#include "cli/table.h"

namespace usvc::command {

std::vector<Flag> status_flags() {
  return {{"--short", 's', "", "only the line about the machine"}};
}

Result<int> status(const Invocation& invocation) {
  const Context& context = invocation.context;
  const bool only_host = invocation.arguments.has("--short");
  StatusView view;
  if (!only_host) {
    const auto seeing = BackgroundTask<SeenProcesses>::begin([](FdRef) { return SeenProcesses::now(); });
    auto found = Remote(context, NoInstance::offline).jobs(invocation.arguments.words);
    if (!found) return pass(found);
    view.jobs = std::move(found->jobs);
    view.troubles = std::move(found->troubles);
    auto seen = seeing ? (*seeing)->take() : Result<SeenProcesses>(SeenProcesses::now());
    if (!seen) return pass(seen);
    observe_jobs(view.jobs, std::move(*seen));
  }
  view.host = observe_host();
  if (context.json) {
    if (auto status = print_json(view); !status) return pass(status);
    return 0;
  }
  std::string text(context.out.cut(host_line(view.host)));
  text += '\n';
  for (const auto& trouble : view.troubles) text += trouble_line(trouble, context.out) + "\n";
  if (!only_host) text += job_table(view.jobs, unix_now(), context.out);
  if (auto status = print(text); !status) return pass(status);
  return 0;
}

}  // namespace usvc::command
