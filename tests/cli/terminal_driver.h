// Somebody who sits at a terminal: a program in a pseudo-terminal of its own, keys typed into it, what it shows.
#pragma once

#include <termios.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/process.h"

namespace usvc::test {

class TerminalDriver {
 public:
  TerminalDriver(const std::vector<std::string>& argv, const std::map<std::string, std::string>& env,
                 const std::string& cwd, TerminalSize size = {});
  ~TerminalDriver();
  TerminalDriver(const TerminalDriver&) = delete;
  TerminalDriver& operator=(const TerminalDriver&) = delete;
  TerminalDriver(TerminalDriver&&) = delete;
  TerminalDriver& operator=(TerminalDriver&&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void type(const std::string& keys);
  void resize(TerminalSize size) const;
  // All that has come since forget(); nothing is read but in these waits, so whoever does not wait is a slow reader.
  [[nodiscard]] const std::string& shown() const { return shown_; }
  void forget() { shown_.clear(); }
  bool wait_for(const std::string& text, milliseconds deadline = 10s);
  bool wait_shown(const std::function<bool(const std::string& shown)>& done, milliseconds deadline = 10s);
  // The settings of the terminal, and whether keys come one by one.
  [[nodiscard]] termios modes() const;
  [[nodiscard]] bool raw() const { return (modes().c_lflag & ICANON) == 0; }
  // Settings, as text that tells two of them apart.
  [[nodiscard]] std::string settings() const;
  void signal(int number) const;
  // Its status, as a shell tells it; past the deadline it is killed, and the test fails.
  int finish(milliseconds deadline = 10s);

 private:
  void pump(milliseconds at_most);
  bool reap();

  Fd master_;
  Fd slave_;  // so that the terminal outlives the program, and can be looked at
  pid_t pid_ = -1;
  bool reaped_ = false;
  int status_ = -1;
  std::string to_type_;
  std::string shown_;
};

}  // namespace usvc::test
