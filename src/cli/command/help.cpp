#include "cli/help.h"

#include "cli/command.h"

namespace usvc::command {

Result<int> help(const Invocation& invocation) {
  const auto& words = invocation.arguments.words;
  if (words.empty()) {
    if (auto status = print(help_overview()); !status) return pass(status);
    return 0;
  }
  const Command* about = find_command_named(words.front());
  if (about == nullptr) return fail(unknown_command(words.front()));
  if (auto status = print(help_of(*about)); !status) return pass(status);
  return 0;
}

}  // namespace usvc::command
