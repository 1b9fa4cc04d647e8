#include "cli/command.h"
#include "cli/command/attach_session.h"

namespace usvc::command {

std::vector<Flag> attach_flags() {
  return {{"--read-only", 0, "", "look, and type nothing"}};
}

Result<int> attach(const Invocation& invocation) {
  const bool read_only = invocation.arguments.has("--read-only");
  if (invocation.arguments.words.empty()) {
    return attach_session(invocation.context, read_only ? Typing::read_only : Typing::allowed);
  }
  // Until there is more to a job's terminal: what it shows.
  Invocation look = invocation;
  look.arguments.options = {{"--follow", ""}};
  return log(look);
}

}  // namespace usvc::command
