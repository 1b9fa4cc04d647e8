#include "terminal/user_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/files.h"

namespace usvc {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto reset_patience = std::chrono::seconds(1);

// Where it can't be opened once more the one at hand has to do.
Fd own_terminal(int fd) {
  auto own = open_terminal_again(FdRef(fd), O_RDWR);
  return own ? std::move(*own) : duplicate(FdRef(fd));
}

// In the background it stops us (SIGTTOU), and ends with EINTR when we go on: in the foreground it is done then, else a
// signal is to be heeded.
int set_terminal(int fd, const termios& settings) {
  int result = -1;
  do {
    result = ::tcsetattr(fd, TCSANOW, &settings);
  } while (result != 0 && errno == EINTR && ::tcgetpgrp(fd) == ::getpgrp());
  return result;
}

}  // namespace

Result<std::unique_ptr<UserTerminal>> UserTerminal::open(const std::string& instead) {
  termios before{};
  if (::isatty(STDOUT_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &before) != 0) {
    const char* which = ::isatty(STDIN_FILENO) == 0 ? "standard input" : "standard output";
    return fail(Error("a terminal is needed, and " + std::string(which) + " is none").hint(instead));
  }
  const int flags = ::fcntl(STDIN_FILENO, F_GETFL);
  // NOLINTNEXTLINE: the constructor is private
  std::unique_ptr<UserTerminal> terminal(
      new UserTerminal(own_terminal(STDIN_FILENO), own_terminal(STDOUT_FILENO), before));
  terminal->flags_before_ = flags;
  return terminal;
}

UserTerminal::~UserTerminal() {
  restore({});
}

WindowSize UserTerminal::size() const {
  return window_size(output_).value_or(WindowSize{});
}

Status UserTerminal::make_raw() {
  termios raw = before_;
  ::cfmakeraw(&raw);
  if (set_terminal(input_.get(), raw) != 0) return fail(Error::last("cannot set up the terminal"));
  raw_ = true;
  return {};
}

void UserTerminal::restore(std::string_view reset) {
  if (!std::exchange(raw_, false)) return;
  const auto give_up = Clock::now() + reset_patience;
  while (!reset.empty() && Clock::now() < give_up) {
    const auto written = write_some(reset);
    if (!written) break;
    reset.remove_prefix(*written);
    pollfd ready{.fd = output_.get(), .events = POLLOUT, .revents = 0};
    if (*written == 0) (void)::poll(&ready, 1, 100);
  }
  // Not TCSADRAIN: a terminal that was stopped (Ctrl-S) would hold us for ever. Where it is gone nothing is to be done.
  (void)set_terminal(input_.get(), before_);
  // Where it could not be opened again it has become non-blocking by being waited for.
  if (flags_before_ >= 0) (void)::fcntl(STDIN_FILENO, F_SETFL, flags_before_);
}

Result<std::size_t> UserTerminal::write_some(std::string_view bytes) {
  const ssize_t written = ::write(output_.get(), bytes.data(), bytes.size());
  if (written >= 0) return static_cast<std::size_t>(written);
  if (errno == EAGAIN || errno == EINTR) return 0U;
  return fail(Error::last("cannot write to the terminal"));
}

}  // namespace usvc
