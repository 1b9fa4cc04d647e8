// What `save` and `load --dry-run` answer with --json.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shapes/json.h"

namespace usvc {

struct SetView {
  std::optional<std::string> file;  // where the set was written; null: it is here
  std::optional<std::string> text;
  std::vector<std::string> remarks;  // what is otherwise in the other format
};
BOOST_DESCRIBE_STRUCT(SetView, (), (file, text, remarks))

}  // namespace usvc
