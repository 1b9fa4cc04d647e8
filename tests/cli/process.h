// Running a program as a person would, with everything it could be given set on purpose and a deadline.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"

namespace usvc::test {

// As keys are typed.
inline const std::string ctrl_c = "\x03";
inline const std::string ctrl_d = "\x04";

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// True as soon as `done` is; false when the deadline has passed. Asks every 10 ms.
bool wait_until(milliseconds deadline, const std::function<bool()>& done);

struct Output {
  int status = -1;  // exit code, or 128+N for signal N, as a shell tells it
  std::string out;
  std::string err;
  [[nodiscard]] std::string all() const { return out + err; }
};
std::ostream& operator<<(std::ostream& stream, const Output& output);

struct TerminalSize {
  unsigned short rows = 24;
  unsigned short columns = 80;
};

struct RunOptions {
  milliseconds deadline = 20s;
  std::string input = {};                                                    // what stdin holds; then it is at its end
  std::string cwd = {};                                                      // empty: the test's own
  std::vector<std::pair<std::string, std::optional<std::string>>> env = {};  // added, replaced, or (nullopt) removed
  std::optional<mode_t> umask = {};
  std::optional<int> nice = {};
  std::vector<std::pair<int, rlimit>> limits = {};
  std::optional<TerminalSize> terminal = {};  // stdin, stdout and stderr are one terminal = {}; all output is in `out`
  std::function<void()> in_child = {};        // last, just before exec; only what is safe there
};

// A program that was started and may still run. Ended, with its process group, when it goes out of scope.
class Child {
 public:
  Child(const std::vector<std::string>& argv, const std::map<std::string, std::string>& env, const RunOptions& options,
        std::optional<uid_t> user);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child(Child&&) = delete;
  Child& operator=(Child&&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Takes what has come so far; false once it has ended and both outputs are at their end.
  bool pump(milliseconds at_most);
  // Pumps until the predicate holds of what has come.
  bool wait_output(milliseconds deadline, const std::function<bool(const Output&)>& done);
  // Its output and status. Past the deadline it is killed, with its group, and the test fails.
  Output finish(milliseconds deadline);
  [[nodiscard]] const Output& output() const { return output_; }

 private:
  void take(Fd& from, std::string& into);
  bool reap(int flags);
  void kill_group() const;

  std::string name_;
  pid_t pid_ = -1;
  bool reaped_ = false;
  Fd in_;
  Fd out_;
  Fd err_;
  std::string input_;
  Output output_;
};

}  // namespace usvc::test
