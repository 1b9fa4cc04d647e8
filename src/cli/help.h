// What `usvc help` shows.
#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"

namespace usvc {

// Every command in a line of its own; fits a terminal of 24 lines and 80 columns.
std::string help_overview();
// The lines of the commands in it.
std::string help_commands();
// A line like those: "run   start         make a job and start it".
std::string help_line(std::string_view section, std::string_view name, std::string_view summary);
std::string help_of(const Command& command);
// Prints one of them, or with --json the same as a document; nullptr: the overview.
Status show_help(const Command* command, bool as_json);

}  // namespace usvc
