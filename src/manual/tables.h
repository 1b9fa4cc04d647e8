// What stands for a line `@@ TABLE [ARGUMENT]` of a page's template.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/command.h"

namespace usvc {

//   commands           every command in its section
//   options            those that stand before a command
//   keys               of a job's conf
//   settings SECTION   of usvc.conf
//   addresses          of the API
//   shape NAME         the keys of one of its JSON objects
Result<std::string> expand_table(std::string_view words);

// The parts of a command's own page that the table of commands has.
std::string command_synopsis(const Command& command);
std::string flag_items(const std::vector<Flag>& flags);
// usvc-NAME
std::string page_of(const Command& command);

}  // namespace usvc
