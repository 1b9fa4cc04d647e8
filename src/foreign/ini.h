// Settings in sections, as Python's configparser reads them for supervisord: "KEY = VALUE" or "KEY: VALUE", values that
// go on in lines indented deeper, and comments also at the end of a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace usvc::foreign {

struct IniEntry {
  std::string key;  // lower case
  std::string value;
  int line = 0;
};
struct IniSection {
  std::string name;
  int line = 0;
  std::vector<IniEntry> entries;  // of one key the last
};

// Errors read "FILE:LINE: why".
Result<std::vector<IniSection>> read_ini(std::string_view text, const std::string& file);

}  // namespace usvc::foreign
