#include "cli/pager.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/files.h"
#include "base/lookup.h"
#include "base/text.h"
#include "cli/caller.h"
#include "terminal/scroll_region.h"

namespace usvc {

namespace {

constexpr std::size_t usual_height = 24;

std::string pager_command() {
  const char* set = std::getenv("PAGER");
  std::string command = set != nullptr ? set : "less -R";
  if (trim(command).empty() || trim(command) == "cat") return {};
  // What the shell could not find would swallow the text.
  const std::string_view word = trim(command).substr(0, trim(command).find_first_of(" \t"));
  const char* path = std::getenv("PATH");
  const bool plain = word.find_first_of("=$'\"\\;&|<>(){}*?`") == std::string_view::npos;
  if (!plain || find_command(word, caller_directory().value_or("/"), path != nullptr ? path : "")) return command;
  if (set != nullptr) complain("the pager " + printable(word) + " is not found (PAGER)");
  return {};
}

// What less(1) finds in its environment; other pagers don't look there.
std::string less_options(PagerBegin begin, bool below_picture) {
  const char* set = std::getenv("LESS");
  // What fits is shown and left at once, and stays on the screen; above a picture it has a screen of its own.
  std::string options = below_picture ? "FR" : "FRX";
  if (set != nullptr) options = set;
  // The user's own first command stays the only one.
  if (begin == PagerBegin::end && options.find('+') == std::string::npos) options += "$+G";
  return options;
}

// Ctrl-C is for the pager, and its end is told by the write that fails.
void leave_signals_to_pager(bool leave) {
  for (const int signal : {SIGINT, SIGQUIT, SIGPIPE}) (void)std::signal(signal, leave ? SIG_IGN : SIG_DFL);
}

}  // namespace

PagedOutput::PagedOutput(const Context& context, bool wanted, PagerBegin begin) : context_(&context), begin_(begin) {
  if (wanted && context.out.is_tty()) command_ = pager_command();
}

PagedOutput::~PagedOutput() {
  (void)finish();
}

// A line that is wider than the terminal takes several rows of it.
bool PagedOutput::fits() const {
  const std::size_t height = context_->out.height().value_or(usual_height);
  const std::size_t width = std::max<std::size_t>(context_->out.width().value_or(80), 1);
  if (held_.size() > height * width * 8) return false;
  std::size_t rows = 1;  // the prompt that comes after it
  for (const auto line : split(held_, '\n')) {
    const std::size_t columns = display_width(context_->out.colors() ? tame(line, false) : std::string(line));
    rows += std::max<std::size_t>(1, (columns + width - 1) / width);
  }
  return rows - (held_.ends_with('\n') ? 1 : 0) <= height;
}

Status PagedOutput::begin() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Error::last("cannot start the pager"));
  const Fd reading(ends[0]);
  pipe_ = Fd(ends[1]);
  SpawnOptions options;
  options.own_session = false;
  const bool below_picture = context_->console_rows.value_or(0) > 0;
  // A pager draws all over the screen.
  if (below_picture) (void)print(release_scroll_region());
  options.env = {"LESS=" + less_options(begin_, below_picture)};
  auto pager = spawn_program({"/bin/sh", "-c", command_}, {{FdRef(reading), STDIN_FILENO}}, options);
  if (!pager) return pass(pager, "cannot start the pager");
  pager_ = std::move(*pager);
  leave_signals_to_pager(true);
  return {};
}

Status PagedOutput::write(std::string_view text) {
  if (left_) return {};
  if (command_.empty()) return print(text);
  if (pager_) return to_pager(text);
  held_.append(text);
  if (fits()) return {};
  if (auto status = begin(); !status) {
    complain(status.error().message());
    command_.clear();
    return print(std::exchange(held_, {}));
  }
  return to_pager(std::exchange(held_, {}));
}

Status PagedOutput::to_pager(std::string_view text) {
  auto status = write_all(pipe_, text);
  if (status || status.error().code() != EPIPE) return status;
  left_ = true;
  return {};
}

Status PagedOutput::finish() {
  if (!pager_) return held_.empty() ? Status() : print(std::exchange(held_, {}));
  pipe_.reset();
  while (::waitpid(pager_->pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  pager_.reset();
  leave_signals_to_pager(false);
  return {};
}

}  // namespace usvc
