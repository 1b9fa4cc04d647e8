// What a job takes over from whoever typed the command.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "shapes/requests.h"

namespace usvc {

// The directory as the shell names it (PWD) where that is true, else as the kernel does.
Result<std::string> caller_directory();

// umask, niceness and limits as conf entries.
std::vector<EntryView> caller_settings();

// environ.
std::vector<std::string> caller_environment();

// The user's name, or number where it has none.
std::string user_name();

// What the file says (job/env_file.h); a line that can't be read is an error that names it.
Result<std::vector<std::string>> parse_env_file(std::string_view text, const std::string& file);

}  // namespace usvc
