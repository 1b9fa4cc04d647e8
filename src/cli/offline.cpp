#include "cli/offline.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/program.h"
#include "base/text.h"
#include "cli/instance.h"

namespace usvc {

namespace {

Error cannot_ask(int err) {
  return Error::from_errno(err, "cannot run usvc-manager").as(ErrorKind::unreachable);
}

Result<std::string> read_to_end(const Fd& fd) {
  std::string text;
  std::array<char, 65536> bytes;
  for (;;) {
    const ssize_t got = ::read(fd.get(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(cannot_ask(errno));
    if (got == 0) return text;
    text.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

Result<std::string> output_of(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(cannot_ask(errno));
  const Fd reading(ends[0]);
  Fd writing(ends[1]);

  std::vector<char*> argv = argument_pointers(words);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  int error = ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  pid_t pid = 0;
  if (error == 0) error = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(cannot_ask(error));

  writing.reset();
  auto text = read_to_end(reading);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return text;
}

}  // namespace

Result<Reply> parse_offline_answer(std::string_view text) {
  const auto newline = text.find('\n');
  const auto status = parse_number(text.substr(0, newline));
  if (newline == std::string_view::npos || !status || *status < 100 || *status > 599) {
    return fail("usvc-manager --offline gave no answer", ErrorKind::unreachable);
  }
  return Reply{static_cast<unsigned>(*status), std::string(text.substr(newline + 1))};
}

Result<Reply> ask_offline(const Context& context, std::string_view method, const std::string& target,
                          const std::string& body) {
  auto program = helper_program("usvc-manager");
  if (!program) return pass(program);
  std::vector<std::string> words = {*program, "--offline"};
  if (context.home) words.insert(words.end(), {"--home", *context.home});
  words.insert(words.end(), {std::string(method), target});
  if (!body.empty()) words.push_back(body);
  auto text = output_of(words);
  if (!text) return pass(text);
  return parse_offline_answer(*text);
}

}  // namespace usvc
