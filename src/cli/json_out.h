// The one JSON document on stdout that --json asks for.
#pragma once

#include "cli/context.h"
#include "shapes/json.h"

namespace usvc {

template <class T>
Status print_json(const T& value) {
  return print(json_text(to_json(value)) + "\n");
}

}  // namespace usvc
