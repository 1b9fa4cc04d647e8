// What `usvc help` shows.
#pragma once

#include <string>

#include "cli/command.h"

namespace usvc {

// Every command in a line of its own; fits a terminal of 24 lines and 80 columns.
std::string help_overview();
std::string help_of(const Command& command);

}  // namespace usvc
