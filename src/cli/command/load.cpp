#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/files.h"
#include "cli/caller.h"
#include "cli/command.h"
#include "cli/remote.h"
#include "cli/report.h"

namespace usvc::command {

namespace {

constexpr std::size_t longest_set = std::size_t{8} << 20U;

Result<std::string> read_stdin() {
  std::string text;
  std::array<char, 65536> bytes;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::last("standard input"));
    if (got == 0) return text;
    text.append(bytes.data(), static_cast<std::size_t>(got));
    if (text.size() > longest_set) return fail(Error::from_errno(EFBIG, "standard input"));
  }
}

}  // namespace

Result<int> load(const Invocation& invocation) {
  const auto& words = invocation.arguments.words;
  if (words.size() != 1) return fail(Error("load needs one FILE", ErrorKind::usage).hint("- for standard input"));
  auto text = words.front() == "-" ? read_stdin() : read_file(words.front(), longest_set);
  if (!text) return pass(text, "cannot load");
  auto cwd = caller_directory();
  if (!cwd) return pass(cwd);
  LoadRequest request;
  request.text = std::move(*text);
  request.cwd = std::move(*cwd);
  request.env = caller_environment();
  auto reply = Remote(invocation.context, NoInstance::start).load(std::move(request));
  if (!reply && reply.error().kind() != ErrorKind::unreachable) {
    // Whatever is wrong is wrong in the file, not on the command line.
    return fail(std::move(reply).error().context("cannot load " + words.front()).as(ErrorKind::failure));
  }
  if (!reply) return pass(reply);
  return report(invocation.context, *reply, {"load", "started"});
}

}  // namespace usvc::command
