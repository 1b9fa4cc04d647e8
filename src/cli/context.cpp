#include "cli/context.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"

namespace usvc {

Status print(std::string_view text) {
  auto status = write_all(FdRef(STDOUT_FILENO), text);
  if (!status) return pass(status, "standard output");
  return {};
}

void complain(std::string_view message) {
  std::string line = "usvc: ";
  line.append(message).append("\n");
  // Where even this fails there is nobody left to tell.
  (void)write_all(FdRef(STDERR_FILENO), line);
}

Status say(const Context& context, std::string_view line) {
  if (context.quiet || context.json) return {};
  return print(std::string(line) + "\n");
}

}  // namespace usvc
