// From the words of a command line to an exit status.
#pragma once

#include <string>
#include <vector>

namespace usvc {

// `words` without the program's name.
int run_command_line(const std::vector<std::string>& words);

}  // namespace usvc
