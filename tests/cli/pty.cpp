#include "cli/pty.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/files.h"
#include "base/program.h"

namespace usvc::test {

namespace {

winsize as_winsize(TerminalSize size) {
  winsize result{};
  result.ws_row = size.rows;
  result.ws_col = size.columns;
  return result;
}

}  // namespace

Pty::Pty(const std::vector<std::string>& argv, const std::map<std::string, std::string>& env, const std::string& cwd,
         TerminalSize size) {
  std::vector<std::string> variables;
  for (const auto& [key, value] : env) variables.push_back(key + "=" + value);
  const auto words = argument_pointers(argv);
  const auto environment = argument_pointers(variables);
  const winsize window = as_winsize(size);
  int master = -1;
  pid_ = forkpty(&master, nullptr, nullptr, &window);
  if (pid_ == 0) {
    if (chdir(cwd.c_str()) == 0) execve(words[0], words.data(), environment.data());
    _exit(126);
  }
  if (pid_ < 0) {
    ADD_FAILURE() << "forkpty: " << strerror(errno);
    return;
  }
  master_ = Fd(master);
  (void)fcntl(master, F_SETFD, FD_CLOEXEC);
  (void)fcntl(master, F_SETFL, O_NONBLOCK);
}

Pty::~Pty() {
  master_.reset();
  if (pid_ <= 0 || status_ >= 0) return;
  const auto ended = [this] { return waitpid(pid_, nullptr, WNOHANG) != 0; };
  if (wait_until(std::chrono::seconds(5), ended)) return;
  ADD_FAILURE() << "the program on the terminal outlived it";
  (void)kill(pid_, SIGKILL);
  (void)waitpid(pid_, nullptr, 0);
}

void Pty::type(const std::string& keys) {
  const auto status = write_all(master_, keys);
  EXPECT_TRUE(status) << keys;
}

void Pty::resize(TerminalSize size) {
  const winsize window = as_winsize(size);
  EXPECT_EQ(ioctl(master_.get(), TIOCSWINSZ, &window), 0);
}

void Pty::take() {
  std::array<char, 65536> bytes{};
  for (;;) {
    const ssize_t got = read(master_.get(), bytes.data(), bytes.size());
    if (got <= 0) return;  // nothing more for now, or EIO: nobody has it open any more
    shown_.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

const std::string& Pty::shown() {
  take();
  return shown_;
}

bool Pty::shows(const std::string& text, milliseconds deadline) {
  const auto there = [&] {
    take();
    return shown_.find(text, seen_) != std::string::npos;
  };
  if (!wait_until(deadline, there)) {
    ADD_FAILURE() << "'" << text << "' is not shown; shown is:\n" << shown_.substr(seen_) << "\n(after)\n" << shown_;
    return false;
  }
  seen_ = shown_.find(text, seen_) + text.size();
  return true;
}

int Pty::finish(milliseconds deadline) {
  const auto ended = [this] {
    take();
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  };
  if (!wait_until(deadline, ended)) ADD_FAILURE() << "it has not ended; shown is:\n" << shown_;
  take();
  return status_;
}

pid_t Pty::foreground() const {
  return tcgetpgrp(master_.get());
}

}  // namespace usvc::test
