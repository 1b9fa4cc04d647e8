// The one JSON document on stdout that --json asks for.
#pragma once

#include "cli/context.h"
#include "shapes/json.h"

namespace usvc {

template <class T>
Status print_json(const T& value) {
  return print(to_json_text(value) + "\n");
}

}  // namespace usvc
