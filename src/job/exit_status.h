// How a run of a program ended. A type of its own, so that nobody shifts and masks a wait status by hand.
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace usvc {

// "killed by SEGV, core dumped"; `oom`: the kernel did it for want of memory.
std::string killed_by(const std::string& signal, bool core, bool oom = false);

class ExitStatus {
 public:
  struct Unknown {  // nobody was there to reap it: never shown as 0
    friend bool operator==(const Unknown&, const Unknown&) = default;
  };
  struct NotStarted {  // set-up or exec failed
    std::string why;
    friend bool operator==(const NotStarted&, const NotStarted&) = default;
  };
  struct Exited {
    int code = 0;
    friend bool operator==(const Exited&, const Exited&) = default;
  };
  struct Killed {
    int signal = 0;
    bool dumped_core = false;
    friend bool operator==(const Killed&, const Killed&) = default;
  };
  using Value = std::variant<Unknown, NotStarted, Exited, Killed>;

  ExitStatus() = default;  // Unknown
  explicit ExitStatus(Value value) : value_(std::move(value)) {}
  // From waitid(2). What is not an end (stopped, continued, trapped) is Unknown.
  static ExitStatus from(const siginfo_t& info);
  // From the word that waitpid(2) fills, and PIDFD_GET_INFO reports as exit code.
  static ExitStatus from_wait_status(int status);

  [[nodiscard]] const Value& value() const { return value_; }
  [[nodiscard]] std::optional<int> code() const;
  [[nodiscard]] std::optional<int> signal() const;
  [[nodiscard]] bool dumped_core() const;

  [[nodiscard]] bool success() const;
  // Whether it counts in the column D: it failed, and not because it had been asked to end. An end that nobody saw is
  // not held against the job.
  [[nodiscard]] bool is_death(bool we_asked) const;
  // "exit 1", "killed by SEGV, core dumped", "unknown", "not started: WHY".
  [[nodiscard]] std::string describe() const;
  // What a shell would have in $?: the code, or 128+N for signal N. Where there is neither, what env(1) and timeout(1)
  // use: 125 (unknown) and 126 (not started).
  [[nodiscard]] int shell_status() const;

  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;

 private:
  Value value_;
};

}  // namespace usvc
