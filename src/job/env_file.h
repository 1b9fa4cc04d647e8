// Files of variables, as .env files and systemd's EnvironmentFile= have them: lines K=V, with `export` before them if
// need be, values in either quote, comments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace usvc {

struct EnvLine {
  int number = 0;
  std::string assignment;  // "K=V"; empty: see below
  bool no_assignment = false;
  std::string wrong;  // why its value can't be read
};

// The lines that say something, in order. In double quotes \n is a new line and \ keeps what follows as it is; behind
// a value without quotes, " #" begins a comment.
std::vector<EnvLine> read_env_file(std::string_view text);

}  // namespace usvc
