// A command of the console, run by a usvc of its own: whatever becomes of it, the console stays.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
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

// Runs it with the terminal as its own: keys that send signals send them to it alone. The signals by which the console
// is to leave are passed on to it. Returns its exit status, 128+N for signal N; the terminal is as it was.
Result<int> run_in_foreground(const OwnProgram& program, ConsoleSignals& signals);

// Runs it without the standard input, which is the script it stands in.
Result<int> run_in_script(const OwnProgram& program);

// Stops this process and those beside it, as Ctrl-Z does; returns when they go on.
void suspend_console();

}  // namespace usvc
