#include "cli/help.h"

#include "cli/command.h"

namespace usvc::command {

Result<int> help(const Invocation& invocation) {
  const auto& words = invocation.arguments.words;
  const Command* about = words.empty() ? nullptr : find_command_named(words.front());
  if (!words.empty() && about == nullptr) return fail(unknown_command(words.front()));
  if (auto status = show_help(about, invocation.context.json); !status) return pass(status);
  return 0;
}

}  // namespace usvc::command
