// The manual, made from the tables that also make `usvc help`, the parsers and the API.
//
// A page is a template under docs/man, man(7) text in which a line `@@ TABLE [ARGUMENT]` stands for what a table says
// (manual/tables.h). A command needs no template; where docs/man has a COMMAND.inc it is what its page says besides.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace usvc {

struct Page {
  std::string name;  // "usvc-start.1"
  std::string text;
};

// All of them.
Result<std::vector<Page>> manual_pages(const std::string& templates);

}  // namespace usvc
