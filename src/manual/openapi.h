// The API as OpenAPI 3.0 describes one, from the same tables as usvc-api(7).
#pragma once

#include "shapes/json.h"

namespace usvc {

json::object openapi_document();

}  // namespace usvc
