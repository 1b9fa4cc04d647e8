// A command of the console, run by a usvc of its own: whatever becomes of it, the console stays.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "cli/console_signals.h"
#include "cli/context.h"

namespace usvc {

// What runs this very program for a console: its words, and what they are to find in the environment. `rows` as in
// Context::console_rows.
struct OwnProgram {
  std::vector<std::string> args;
  std::vector<std::string> env;
};
OwnProgram own_program(const Context& context, const std::vector<std::string>& words, std::size_t rows);

// What is done while a command runs: `look` when `fd` can be read, or the time has come.
struct Meanwhile {
  std::function<FdRef()> fd = [] { return FdRef(-1); };
  std::function<int()> timeout_ms = [] { return -1; };
  std::function<void()> look = [] {};
};

// Runs it with the terminal as its own: keys that send signals send them to it alone. The signals by which the console
// is to leave are passed on to it. Returns its exit status, 128+N for signal N; the terminal is as it was.
Result<int> run_in_foreground(const OwnProgram& program, ConsoleSignals& signals, const Meanwhile& meanwhile);

// Runs it without the standard input, which is the script it stands in.
Result<int> run_in_script(const OwnProgram& program);

// Stops this process and those beside it, as Ctrl-Z does; returns when they go on.
void suspend_console();

}  // namespace usvc
