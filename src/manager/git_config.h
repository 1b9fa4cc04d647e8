// Files in git-config format, read and edited as git does (git-config(1)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace usvc {

struct GitEntry {
  std::string section;     // lower case
  std::string subsection;  // as written
  std::string key;         // lower case
  std::string value;
  bool has_value = true;
  int line = 0;  // of the file, from 1; 0: in one that it includes
};

// In the file's order, includes followed. A syntax error names file and line.
Result<std::vector<GitEntry>> read_git_config(const std::string& path);
// The same of a text, which errors call `name`; no include is followed.
Result<std::vector<GitEntry>> parse_git_config(std::string_view text, const std::string& name);
// Of a text that is `path`'s: includes are followed.
Result<std::vector<GitEntry>> parse_git_config_file(std::string_view text, const std::string& path);
// Sets SECTION.KEY, leaving everything else of the file as it is, comments too. A repeated key is refused, and one that
// an included file sets. A link's file is changed, its mode stays.
Status set_git_config(const std::string& path, const std::string& name, const std::string& value);
// Takes every line that sets SECTION.KEY out of the file; fine when there is none.
Status unset_git_config(const std::string& path, const std::string& name);

}  // namespace usvc
