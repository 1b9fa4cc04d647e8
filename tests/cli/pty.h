// A program on a terminal of its own, with somebody who types and looks.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/fd.h"
#include "cli/process.h"

namespace usvc::test {

class Pty {
 public:
  // Begins with `argv`, found by its path, in the directory `cwd`.
  Pty(const std::vector<std::string>& argv, const std::map<std::string, std::string>& env, const std::string& cwd,
      TerminalSize size = {});
  // Ends it, and what it runs in the foreground, by hanging up.
  ~Pty();
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void type(const std::string& keys);
  void resize(TerminalSize size);
  // Waits until `text` is shown, behind everything that was waited for before. What was shown so far is in the
  // failure's message.
  bool shows(const std::string& text, milliseconds deadline = std::chrono::seconds(20));
  // All that has been shown, control sequences included.
  const std::string& shown();
  // Its exit status, 128+N for signal N; -1 when it has not ended by then.
  int finish(milliseconds deadline = std::chrono::seconds(20));
  [[nodiscard]] pid_t foreground() const;

 private:
  void take();

  pid_t pid_ = -1;
  Fd master_;
  std::string shown_;
  std::size_t seen_ = 0;
  int status_ = -1;
};

}  // namespace usvc::test
