#include "job/exit_status.h"

#include <sys/wait.h>

#include "base/signals.h"

namespace usvc {

ExitStatus ExitStatus::from(const siginfo_t& info) {
  if (info.si_signo != SIGCHLD) return {};
  switch (info.si_code) {
    case CLD_EXITED:
      return ExitStatus(Exited{info.si_status});
    case CLD_KILLED:
      return ExitStatus(Killed{info.si_status, false});
    case CLD_DUMPED:
      return ExitStatus(Killed{info.si_status, true});
    default:
      return {};
  }
}

ExitStatus ExitStatus::from_wait_status(int status) {
  if (WIFEXITED(status)) return ExitStatus(Exited{WEXITSTATUS(status)});
  if (WIFSIGNALED(status)) return ExitStatus(Killed{WTERMSIG(status), WCOREDUMP(status) != 0});
  return {};
}

std::optional<int> ExitStatus::code() const {
  const auto* exited = std::get_if<Exited>(&value_);
  return exited != nullptr ? std::optional<int>(exited->code) : std::nullopt;
}

std::optional<int> ExitStatus::signal() const {
  const auto* killed = std::get_if<Killed>(&value_);
  return killed != nullptr ? std::optional<int>(killed->signal) : std::nullopt;
}

bool ExitStatus::dumped_core() const {
  const auto* killed = std::get_if<Killed>(&value_);
  return killed != nullptr && killed->dumped_core;
}

bool ExitStatus::success() const {
  return code() == 0;
}

bool ExitStatus::is_death(bool we_asked) const {
  return !we_asked && !success() && !std::holds_alternative<Unknown>(value_);
}

std::string killed_by(const std::string& signal, bool core, bool oom) {
  return "killed by " + signal + (core ? ", core dumped" : oom ? ", out of memory" : "");
}

std::string ExitStatus::describe() const {
  if (const auto* exited = std::get_if<Exited>(&value_)) return "exit " + std::to_string(exited->code);
  if (const auto* killed = std::get_if<Killed>(&value_)) {
    return killed_by(signal_name(killed->signal), killed->dumped_core);
  }
  if (const auto* not_started = std::get_if<NotStarted>(&value_)) return "not started: " + not_started->why;
  return "unknown";
}

int ExitStatus::shell_status() const {
  if (const auto* exited = std::get_if<Exited>(&value_)) return exited->code;
  if (const auto* killed = std::get_if<Killed>(&value_)) return 128 + killed->signal;
  return std::holds_alternative<NotStarted>(value_) ? 126 : 125;
}

}  // namespace usvc
