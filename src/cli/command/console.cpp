#include "cli/console.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include "base/lines.h"
#include "base/shell_words.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/command/attach_session.h"
#include "cli/console_command.h"
#include "cli/console_words.h"

namespace usvc::command {

namespace {

// What is piped in instead of typed.
class Script {
 public:
  Script(const Context& context, bool keep_going) : context_(&context), keep_going_(keep_going) {}

  Result<int> run() {
    std::array<char, 4096> bytes;
    for (;;) {
      const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(Error::last("cannot read standard input"));
      if (got == 0) break;
      for (const auto line : lines_.feed({bytes.data(), static_cast<std::size_t>(got)})) {
        if (auto status = take(line); !status) return pass(status);
        if (over_) return failed_;
      }
    }
    if (!lines_.rest().empty()) {
      if (auto status = take(lines_.rest()); !status) return pass(status);
    }
    if (!over_ && !pending_.empty()) {
      return fail("line " + std::to_string(begun_) + ": a quote is not closed", ErrorKind::usage);
    }
    return failed_;
  }

 private:
  Status take(std::string_view line) {
    ++number_;
    if (pending_.empty()) begun_ = number_;
    pending_ += line;
    auto split = split_shell_words(pending_);
    if (split.open) {
      pending_ += '\n';
      return {};
    }
    pending_.clear();
    if (!split.words.empty() && split.words.front() == "usvc") split.words.erase(split.words.begin());
    if (split.words.empty()) return {};
    return act(split.words);
  }

  Status act(const std::vector<std::string>& words) {
    const auto own = find_console_word(words.front());
    if (own == ConsoleWord::exit) over_ = true;
    if (own == ConsoleWord::notes) return print(console_notes(*context_));
    if (own && *own != ConsoleWord::help) return {};
    auto status = run_in_script(own_program(*context_, words, 0));
    if (!status) return pass(status);
    if (*status == 0) return {};
    if (failed_ == 0) failed_ = *status;
    over_ = !keep_going_;
    const std::string what =
        "line " + std::to_string(begun_) + ": " + printable(words.front()) + ": exit status " + std::to_string(*status);
    complain(keep_going_ ? what : what + " (--keep-going goes on)");
    return {};
  }

  const Context* context_;
  bool keep_going_;
  LineSplitter lines_;
  std::size_t number_ = 0;
  std::size_t begun_ = 0;  // the line where the command begins that may go on in the next
  std::string pending_;
  int failed_ = 0;
  bool over_ = false;
};

}  // namespace

std::vector<Flag> console_flags() {
  return {{"--status", 's', "", "with the table of status above the prompt, kept up to date"},
          {"--keep-going", 'k', "", "of what is piped in, the rest too after one that failed"}};
}

Result<int> console(const Invocation& invocation) {
  const Context& context = invocation.context;
  if (auto status = need_no_words(invocation, "console"); !status) return pass(status);
  if (context.console_rows) return fail("this is the console already", ErrorKind::usage);
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  if (!terminal) return Script(context, invocation.arguments.has("--keep-going")).run();
  const bool above = invocation.arguments.has("--status");
  // In the session's window it stays for who comes next.
  const auto leave = [&] { return above ? leave_session(context) : Result<bool>(false); };
  return Console::run(context, above ? StatusTable::above : StatusTable::none, leave);
}

}  // namespace usvc::command
