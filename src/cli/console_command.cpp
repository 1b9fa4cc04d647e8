#include "cli/console_command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "base/files.h"
#include "base/program.h"

namespace usvc {

namespace {

// What runs now, also after it was replaced on disk.
constexpr const char* this_program = "/proc/self/exe";

Result<ChildProgram> spawn(const OwnProgram& program, const std::vector<InheritedFd>& fds, int foreground_of) {
  SpawnOptions options;
  options.own_session = false;
  options.program = this_program;
  options.env = program.env;
  options.foreground_of = foreground_of;
  return spawn_program(program.args, fds, options);
}

// Does something to the terminal that a program in its background is stopped for.
template <class Do>
void from_background(const Do& act) {
  sigset_t set;
  sigset_t before;
  sigemptyset(&set);
  sigaddset(&set, SIGTTOU);
  (void)::sigprocmask(SIG_BLOCK, &set, &before);
  act();
  (void)::sigprocmask(SIG_SETMASK, &before, nullptr);
}

void give_terminal_to(pid_t group) {
  // It fails when the group is gone, or the terminal: then there is nothing to give.
  from_background([group] { (void)::tcsetpgrp(STDIN_FILENO, group); });
}

// The terminal's settings as they are now, to be put back.
class TerminalSettings {
 public:
  TerminalSettings() : known_(::tcgetattr(STDIN_FILENO, &settings_) == 0) {}
  void restore() const {
    if (known_) from_background([this] { (void)::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings_); });
  }

 private:
  termios settings_{};
  bool known_;
};

int status_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// It was stopped by Ctrl-Z: so is the console, and both go on together.
void suspend_with(pid_t group, const TerminalSettings& ours) {
  const TerminalSettings theirs;
  give_terminal_to(::getpgrp());
  ours.restore();
  suspend_console();
  theirs.restore();
  give_terminal_to(group);
  (void)::kill(-group, SIGCONT);
}

Result<int> await_end(pid_t pid, const TerminalSettings& ours, ConsoleSignals& signals, const Meanwhile& meanwhile) {
  for (bool told = false;;) {
    int status = 0;
    const pid_t changed = ::waitpid(pid, &status, WNOHANG | WUNTRACED);
    if (changed < 0 && errno != EINTR) return fail(Error::last("cannot wait for the command"));
    if (changed == pid && !WIFSTOPPED(status)) return status_of(status);
    if (changed == pid) {
      suspend_with(pid, ours);
      continue;
    }
    std::array<pollfd, 2> waiting = {pollfd{signals.fd().get(), POLLIN, 0}, pollfd{meanwhile.fd().get(), POLLIN, 0}};
    if (::poll(waiting.data(), waiting.size(), meanwhile.timeout_ms()) < 0 && errno != EINTR) {
      return fail(Error::last("cannot wait for the command"));
    }
    if (waiting[0].revents != 0) {
      signals.take();
    } else {
      from_background([&] { meanwhile.look(); });
    }
    if (!signals.leave() || told) continue;
    told = true;
    (void)::kill(-pid, *signals.leave());
    (void)::kill(-pid, SIGCONT);
  }
}

}  // namespace

OwnProgram own_program(const Context& context, const std::vector<std::string>& words, std::size_t rows) {
  OwnProgram program;
  program.args = {"usvc"};
  program.args.insert(program.args.end(), context.common.begin(), context.common.end());
  program.args.insert(program.args.end(), words.begin(), words.end());
  program.env = {std::string(console_variable) + "=" + std::to_string(rows)};
  return program;
}

Result<int> run_in_foreground(const OwnProgram& program, ConsoleSignals& signals, const Meanwhile& meanwhile) {
  const TerminalSettings ours;
  auto child = spawn(program, {}, STDIN_FILENO);
  if (!child) return pass(child);
  auto status = await_end(child->pid, ours, signals, meanwhile);
  give_terminal_to(::getpgrp());
  ours.restore();
  return status;
}

Result<int> run_in_script(const OwnProgram& program) {
  auto nothing = open_file("/dev/null", O_RDONLY);
  if (!nothing) return pass(nothing);
  auto child = spawn(program, {{*nothing, STDIN_FILENO}}, -1);
  if (!child) return pass(child);
  int status = 0;
  while (::waitpid(child->pid, &status, 0) < 0) {
    if (errno != EINTR) return fail(Error::last("cannot wait for the command"));
  }
  return status_of(status);
}

void suspend_console() {
  (void)::kill(0, SIGTSTP);
}

}  // namespace usvc
