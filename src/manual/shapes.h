// The keys of the API's JSON objects, from the structs that become them.
#pragma once

#include <string>
#include <string_view>

#include "shapes/json.h"

namespace usvc {

// A list of the keys with their types; empty for a shape that is none of the API's.
std::string shape_items(std::string_view name);
// All of them as JSON schemas, by name.
json::object shape_schemas();

}  // namespace usvc
