#include "cli/terminal_driver.h"

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

#include "base/program.h"

namespace usvc::test {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

TerminalDriver::TerminalDriver(const std::vector<std::string>& argv, const std::map<std::string, std::string>& env,
                               const std::string& cwd, TerminalSize size) {
  std::vector<std::string> words = argv;
  std::vector<std::string> environment;
  for (const auto& [key, value] : env) environment.push_back(key + "=" + value);
  const auto argv_pointers = argument_pointers(words);
  const auto env_pointers = argument_pointers(environment);
  winsize window{};
  window.ws_row = size.rows;
  window.ws_col = size.columns;
  int master = -1;
  int slave = -1;
  if (openpty(&master, &slave, nullptr, nullptr, &window) < 0) {
    ADD_FAILURE() << "openpty: " << strerror(errno);
    return;
  }
  master_ = Fd(master);
  slave_ = Fd(slave);
  fcntl(master, F_SETFD, FD_CLOEXEC);
  fcntl(slave, F_SETFD, FD_CLOEXEC);
  fcntl(master, F_SETFL, O_NONBLOCK);
  pid_ = fork();
  if (pid_ == 0) {
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(slave, fd);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (chdir(cwd.c_str()) == 0) execve(argv_pointers[0], argv_pointers.data(), env_pointers.data());
    _exit(126);
  }
  if (pid_ < 0) ADD_FAILURE() << "fork: " << strerror(errno);
}

TerminalDriver::~TerminalDriver() {
  if (pid_ < 0 || reap()) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool TerminalDriver::reap() {
  int status = 0;
  if (reaped_ || waitpid(pid_, &status, WNOHANG) != pid_) return reaped_;
  reaped_ = true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

void TerminalDriver::pump(milliseconds at_most) {
  const short events = static_cast<short>(POLLIN | (to_type_.empty() ? 0 : POLLOUT));
  pollfd ready{master_.get(), events, 0};
  poll(&ready, 1, static_cast<int>(at_most.count()));
  std::array<char, 65536> buffer{};
  for (ssize_t got = 0; (got = read(master_.get(), buffer.data(), buffer.size())) > 0;) {
    shown_.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (to_type_.empty()) return;
  const ssize_t put = write(master_.get(), to_type_.data(), std::min<std::size_t>(to_type_.size(), 1024));
  if (put > 0) to_type_.erase(0, static_cast<std::size_t>(put));
}

void TerminalDriver::type(const std::string& keys) {
  to_type_ += keys;
  const auto end = Clock::now() + 20s;
  while (!to_type_.empty() && Clock::now() < end) pump(10ms);
  EXPECT_EQ(to_type_.size(), 0U) << "nobody reads what is typed";
}

void TerminalDriver::resize(TerminalSize size) const {
  winsize window{};
  window.ws_row = size.rows;
  window.ws_col = size.columns;
  ioctl(master_.get(), TIOCSWINSZ, &window);
}

bool TerminalDriver::wait_shown(const std::function<bool(const std::string&)>& done, milliseconds deadline) {
  const auto end = Clock::now() + deadline;
  for (;;) {
    pump(5ms);
    if (done(shown_)) return true;
    if (Clock::now() >= end) return false;
  }
}

bool TerminalDriver::wait_for(const std::string& text, milliseconds deadline) {
  return wait_shown([&](const std::string& shown) { return shown.find(text) != std::string::npos; }, deadline);
}

termios TerminalDriver::modes() const {
  termios modes{};
  if (tcgetattr(slave_.get(), &modes) != 0) ADD_FAILURE() << "tcgetattr: " << strerror(errno);
  return modes;
}

std::string TerminalDriver::settings() const {
  const termios now = modes();
  std::string text = std::to_string(now.c_iflag) + " " + std::to_string(now.c_oflag) + " " +
                     std::to_string(now.c_cflag) + " " + std::to_string(now.c_lflag);
  for (const cc_t key : now.c_cc) text += " " + std::to_string(key);
  return text;
}

void TerminalDriver::signal(int number) const {
  ::kill(pid_, number);
}

int TerminalDriver::finish(milliseconds deadline) {
  const auto end = Clock::now() + deadline;
  while (!reap()) {
    pump(5ms);
    if (Clock::now() < end) continue;
    ADD_FAILURE() << "not finished; shown:\n" << shown_;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    reaped_ = true;
  }
  pump(0ms);
  return status_;
}

}  // namespace usvc::test
