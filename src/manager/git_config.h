// Files in git-config format, read and edited exactly as git does (libgit2).
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace usvc {

// libgit2 wants to be set up once in a process, before anything below.
class GitLibrary {
 public:
  GitLibrary();
  ~GitLibrary();
  GitLibrary(const GitLibrary&) = delete;
  GitLibrary& operator=(const GitLibrary&) = delete;
};

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
// Sets SECTION.KEY, leaving everything else of the file as it is, comments too. A repeated key is refused.
Status set_git_config(const std::string& path, const std::string& name, const std::string& value);
// Takes every line that sets SECTION.KEY out of the file; fine when there is none.
Status unset_git_config(const std::string& path, const std::string& name);

}  // namespace usvc
