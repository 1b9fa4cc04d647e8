#include "cli/run_input.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <string_view>
#include <utility>

#include "base/files.h"

namespace usvc {

namespace {

// Nothing tells when a command comes to the foreground.
constexpr int look_again_ms = 500;

bool in_foreground() {
  const pid_t group = ::tcgetpgrp(STDIN_FILENO);
  return group < 0 || group == ::getpgrp();  // of a terminal that is not ours to control nobody is in the background
}

}  // namespace

Result<std::unique_ptr<RunInput>> RunInput::create() {
  std::unique_ptr<RunInput> input(new RunInput);
  if (::isatty(STDIN_FILENO) != 1) return input;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Error::last("cannot make a pipe for the job's input"));
  input->pipe_out_ = Fd(ends[0]);
  input->pipe_in_ = Fd(ends[1]);
  // With a single page it takes the next line only when the one before is read: what the job leaves is the shell's.
  // Where it can't be made smaller the job gets more ahead.
  (void)::fcntl(input->pipe_in_.get(), F_SETPIPE_SZ, PIPE_BUF);
  // A line that poll(2) tells of may be another's by the time it is read: that is not to be waited for.
  auto own = open_terminal_again(FdRef(STDIN_FILENO), O_RDONLY);
  input->terminal_ = own ? std::move(*own) : duplicate(FdRef(STDIN_FILENO));
  return input;
}

FdRef RunInput::lent() const {
  return pipe_out_ ? FdRef(pipe_out_) : FdRef(STDIN_FILENO);
}

Status RunInput::hand_over() {
  if (pipe_out_) {
    pipe_out_.reset();
    auto copier = BackgroundTask<void>::begin([this](FdRef given_up) { return copy_terminal(given_up); });
    if (!copier) return pass(copier);
    copier_ = std::move(*copier);
    return {};
  }
  auto null = open_file("/dev/null", O_RDONLY);
  if (!null) return pass(null);
  // Whoever writes to the job is to notice when the job does not read any more.
  if (::dup2(null->get(), STDIN_FILENO) < 0) return fail(Error::last("cannot let go of standard input"));
  return {};
}

FdRef RunInput::over() const {
  return copier_ && !told_ ? copier_->done() : FdRef(-1);
}

Status RunInput::outcome() {
  if (told_ || !copier_ || !copier_->is_done()) return {};
  told_ = true;
  return copier_->take();
}

// False: there will be none.
bool RunInput::wait_for_line(FdRef given_up) const {
  for (;;) {
    // Only so much is read that it can be passed on without waiting.
    std::array<pollfd, 2> room = {pollfd{given_up.get(), POLLIN, 0}, pollfd{pipe_in_.get(), POLLOUT, 0}};
    if (::poll(room.data(), room.size(), -1) < 0 && errno != EINTR) return false;
    if (room[0].revents != 0 || (room[1].revents & POLLERR) != 0) return false;
    if (room[1].revents == 0) continue;
    const bool ours = in_foreground();
    std::array<pollfd, 3> fds = {pollfd{given_up.get(), POLLIN, 0}, pollfd{pipe_in_.get(), 0, 0},
                                 pollfd{ours ? terminal_.get() : -1, POLLIN, 0}};
    const int ready = ::poll(fds.data(), fds.size(), ours ? -1 : look_again_ms);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    if (fds[0].revents != 0 || fds[1].revents != 0) return false;
    if (in_foreground()) return true;
  }
}

Status RunInput::copy_terminal(FdRef given_up) {
  // A read that comes too late, in the background, is to fail and not to stop the whole command.
  sigset_t reading;
  sigemptyset(&reading);
  sigaddset(&reading, SIGTTIN);
  (void)::pthread_sigmask(SIG_BLOCK, &reading, nullptr);
  std::array<char, PIPE_BUF> line{};
  Status status;
  while (wait_for_line(given_up)) {
    const ssize_t got = ::read(terminal_.get(), line.data(), line.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN || (errno == EIO && !in_foreground()))) continue;
    if (got < 0 && errno != EIO) status = fail(Error::last("cannot read the terminal for the job"));
    if (got <= 0) break;  // EIO: the terminal is gone
    const auto written = write_all(pipe_in_, std::string_view(line.data(), static_cast<std::size_t>(got)));
    if (!written) break;  // the job reads no more
  }
  pipe_in_.reset();  // the job's end of file
  return status;
}

}  // namespace usvc
