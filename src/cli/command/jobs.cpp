#include <string>

#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/remote.h"

namespace usvc::command {

Result<int> jobs(const Invocation& invocation) {
  auto found = look_at(invocation.context, invocation.arguments.words);
  if (!found) return pass(found);
  std::vector<std::string> names;
  for (const auto& job : *found) names.push_back(job.name);
  if (invocation.context.json) {
    if (auto status = print_json(names); !status) return pass(status);
    return 0;
  }
  std::string text;
  for (const auto& name : names) text += name + "\n";
  if (auto status = print(text); !status) return pass(status);
  return 0;
}

}  // namespace usvc::command
