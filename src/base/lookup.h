// Finds the program a command word means, as a shell would, and says beforehand why it could not be run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace usvc {

// Where a shell without PATH looks.
inline constexpr const char* default_path = "/usr/local/bin:/usr/bin:/bin";

// The absolute path of the program. A word with a slash is a path from `cwd`; others are looked for in the directories
// of `path` (the variable PATH).
Result<std::string> find_command(std::string_view word, const std::string& cwd, const std::string& path);

// Where find_command() looks by an environment of "K=V": its last PATH, else default_path.
std::string search_path_of(const std::vector<std::string>& env);

// Why a script with this beginning can't be run although it is executable; nothing: no objection. `word` is how the
// caller wrote its path.
std::optional<Error> script_trouble(std::string_view beginning, const std::string& word);

// What to do about a file that may not be executed: chmod +x, where it looks like a program; else nothing. `word` as
// before.
std::string mode_hint(const std::string& path, const std::string& word);

}  // namespace usvc
