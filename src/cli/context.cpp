#include "cli/context.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "base/fd.h"
#include "base/files.h"
#include "base/ready.h"
#include "cli/caller.h"
#include "cli/instance.h"

namespace usvc {

Status choose_instance(Context& context, const std::optional<std::string>& home) {
  if (home && home->empty()) return fail("--home needs a directory", ErrorKind::usage);
  auto cwd = caller_directory();
  if (!cwd) cwd = std::string("/");
  auto layout = Layout::from(
      home.value_or(""), [](const char* name) { return std::getenv(name); }, *cwd);
  if (!layout) return pass(layout);
  const char* variable = std::getenv("USVC_HOME");
  context.home.reset();
  if (home || (variable != nullptr && *variable != '\0')) context.home = layout->home;
  context.layout = context.home ? std::move(*layout) : layout_of_running(std::move(*layout));
  return {};
}

Status print(std::string_view text) {
  auto status = write_all(FdRef(STDOUT_FILENO), text);
  if (!status) return pass(status, "standard output");
  return {};
}

Status end_without_reader() {
  const FdRef out(STDOUT_FILENO);
  if (!ready_now(out, 0)) return {};
  (void)::raise(SIGPIPE);
  return fail(Error::from_errno(EPIPE, "standard output"));
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
