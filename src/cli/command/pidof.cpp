#include <cstdint>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/remote.h"

namespace usvc::command {

// Exit status 1, as pidof(1) has it, when none of them has a process.
Result<int> pidof(const Invocation& invocation) {
  if (auto status = need_selectors(invocation, "pidof"); !status) return pass(status);
  auto found = look_at(invocation.context, invocation.arguments.words);
  if (!found) return pass(found);
  std::vector<std::int64_t> pids;
  for (const auto& job : *found) {
    if (job.pid) pids.push_back(*job.pid);
  }
  std::string text;
  for (const auto pid : pids) text += std::to_string(pid) + "\n";
  if (auto status = invocation.context.json ? print_json(pids) : print(text); !status) return pass(status);
  return pids.empty() ? 1 : 0;
}

}  // namespace usvc::command
