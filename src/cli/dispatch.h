// From the words of a command line to an exit status.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace usvc {

// What a command that ends with such an error exits with.
int exit_status_of(ErrorKind kind);
// `words` without the program's name.
int run_command_line(const std::vector<std::string>& words);

}  // namespace usvc
