#include "cli/process.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

namespace usvc::test {

namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Fd reader;
  Fd writer;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) < 0) ADD_FAILURE() << "pipe2: " << strerror(errno);
  return {Fd(ends[0]), Fd(ends[1])};
}

// The child's three standard descriptors, and the ends the test keeps.
struct Standard {
  Fd in, out, err;           // the child's
  Fd to, from, from_errors;  // the test's
};

Standard make_standard(const RunOptions& options) {
  Standard all;
  if (options.terminal) {
    int master = -1;
    int slave = -1;
    winsize size{};
    size.ws_row = options.terminal->rows;
    size.ws_col = options.terminal->columns;
    if (openpty(&master, &slave, nullptr, nullptr, &size) < 0) ADD_FAILURE() << "openpty: " << strerror(errno);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    all.from = Fd(master);
    all.to = Fd(fcntl(master, F_DUPFD_CLOEXEC, 0));
    all.in = Fd(slave);
    all.out = Fd(fcntl(slave, F_DUPFD_CLOEXEC, 0));
    all.err = Fd(fcntl(slave, F_DUPFD_CLOEXEC, 0));
    return all;
  }
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  all.in = std::move(in.reader);
  all.to = std::move(in.writer);
  all.out = std::move(out.writer);
  all.from = std::move(out.reader);
  all.err = std::move(err.writer);
  all.from_errors = std::move(err.reader);
  return all;
}

[[noreturn]] void give_up(const char* what) {
  dprintf(STDERR_FILENO, "test: cannot prepare the child: %s: %s\n", what, strerror(errno));
  _exit(126);
}

void become(uid_t user) {
  if (setgroups(0, nullptr) < 0) give_up("setgroups");
  if (setresgid(user, user, user) < 0) give_up("setresgid");
  if (setresuid(user, user, user) < 0) give_up("setresuid");
}

[[noreturn]] void exec_child(const Standard& standard, const RunOptions& options, std::optional<uid_t> user,
                             char* const* argv, char* const* envp) {
  if (options.terminal) {
    setsid();
    ioctl(standard.in.get(), TIOCSCTTY, 0);
  } else {
    setpgid(0, 0);
  }
  dup2(standard.in.get(), STDIN_FILENO);
  dup2(standard.out.get(), STDOUT_FILENO);
  dup2(standard.err.get(), STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const auto& [resource, limit] : options.limits) {
    if (setrlimit(static_cast<__rlimit_resource>(resource), &limit) < 0) give_up("setrlimit");
  }
  if (options.umask) umask(*options.umask);
  if (options.nice && setpriority(PRIO_PROCESS, 0, *options.nice) < 0) give_up("setpriority");
  if (user) become(*user);
  if (chdir(options.cwd.c_str()) < 0) give_up(options.cwd.c_str());
  if (options.in_child) options.in_child();
  execve(argv[0], argv, envp);
  give_up(argv[0]);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

void non_blocking(const Fd& fd) {
  if (fd) fcntl(fd.get(), F_SETFL, O_NONBLOCK);
}

}  // namespace

bool wait_until(milliseconds deadline, const std::function<bool()>& done) {
  const auto end = Clock::now() + deadline;
  for (;;) {
    if (done()) return true;
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(10ms);
  }
}

std::ostream& operator<<(std::ostream& stream, const Output& output) {
  return stream << "status " << output.status << "\nstdout:\n" << output.out << "\nstderr:\n" << output.err << "\n";
}

Child::Child(const std::vector<std::string>& argv, const std::map<std::string, std::string>& env,
             const RunOptions& options, std::optional<uid_t> user)
    : input_(options.input) {
  std::vector<std::string> words = argv;
  std::vector<std::string> environment;
  for (const auto& [key, value] : env) environment.push_back(key + "=" + value);
  for (const auto& word : argv) name_ += (name_.empty() ? "" : " ") + word;
  const auto argv_pointers = pointers(words);
  const auto env_pointers = pointers(environment);
  Standard standard = make_standard(options);
  pid_ = fork();
  if (pid_ < 0) {
    ADD_FAILURE() << "fork: " << strerror(errno);
    return;
  }
  if (pid_ == 0) exec_child(standard, options, user, argv_pointers.data(), env_pointers.data());
  if (!options.terminal) setpgid(pid_, pid_);  // also here, so that a kill of the group finds it from the first moment
  in_ = std::move(standard.to);
  out_ = std::move(standard.from);
  err_ = std::move(standard.from_errors);
  non_blocking(in_);
  non_blocking(out_);
  non_blocking(err_);
  if (input_.empty() && !options.terminal) in_.reset();
}

Child::~Child() {
  if (pid_ < 0 || reaped_) return;
  kill_group();
  reap(0);
}

void Child::kill_group() const {
  ::kill(-pid_, SIGKILL);
}

void Child::signal(int number) const {
  if (!reaped_) ::kill(pid_, number);
}

bool Child::reap(int flags) {
  if (reaped_) return true;
  int status = 0;
  if (waitpid(pid_, &status, flags) != pid_) return false;
  reaped_ = true;
  output_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

void Child::take(Fd& from, std::string& into) {
  std::array<char, 65536> buffer{};
  while (from) {
    const ssize_t got = read(from.get(), buffer.data(), buffer.size());
    if (got > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    } else {
      from.reset();  // EIO is a terminal's end of file
    }
  }
}

bool Child::pump(milliseconds at_most) {
  std::array<pollfd, 3> polls{{{out_ ? out_.get() : -1, POLLIN, 0},
                               {err_ ? err_.get() : -1, POLLIN, 0},
                               {in_ && !input_.empty() ? in_.get() : -1, POLLOUT, 0}}};
  poll(polls.data(), polls.size(), static_cast<int>(at_most.count()));
  take(out_, output_.out);
  take(err_, output_.err);
  if (in_ && !input_.empty()) {
    const ssize_t put = write(in_.get(), input_.data(), input_.size());
    if (put > 0) input_.erase(0, static_cast<std::size_t>(put));
    if (put < 0 && errno != EAGAIN && errno != EINTR) input_.clear();
    if (input_.empty()) in_.reset();
  }
  const bool ended = reap(WNOHANG);
  return !ended || out_ || err_;
}

bool Child::wait_output(milliseconds deadline, const std::function<bool(const Output&)>& done) {
  const auto end = Clock::now() + deadline;
  for (;;) {
    const bool more = pump(10ms);
    if (done(output_)) return true;
    if (!more || Clock::now() >= end) return false;
  }
}

Output Child::finish(milliseconds deadline) {
  if (pid_ < 0) return output_;
  auto end = Clock::now() + deadline;
  bool ended = false;
  while (pump(20ms)) {
    // Whoever waits for the end of a program's output, as $(…) does, must not wait for what it left behind.
    if (reaped_ && !std::exchange(ended, true)) end = Clock::now() + 3s;
    if (Clock::now() < end) continue;
    if (reaped_) {
      ADD_FAILURE() << name_ << ": ended, but something it left behind still holds its output\n" << output_;
    } else {
      ADD_FAILURE() << name_ << ": not finished after " << deadline.count() << " ms\n" << output_;
    }
    kill_group();
    reap(0);
    break;
  }
  return output_;
}

}  // namespace usvc::test
