#include "shapes/json.h"

#include <cmath>
#include <cstdint>
#include <utility>

namespace usvc {

Result<json::value> parse_json(std::string_view text, std::size_t limit) {
  if (text.size() > limit) {
    return fail("JSON of " + std::to_string(text.size()) + " bytes: more than the " + std::to_string(limit) +
                " allowed");
  }
  json::parse_options options;
  options.max_depth = 32;
  options.allow_invalid_utf8 = true;  // a job's arguments are bytes
  boost::system::error_code error;
  auto value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return fail("not valid JSON: " + error.message());
  return value;
}

std::string json_text(const json::value& value) {
  return json::serialize(value);
}

namespace detail {

Error wrong_type(const char* expected, const json::value& value) {
  const auto kind = json::to_string(value.kind());
  return Error(std::string("expected ") + expected + ", found " + std::string(kind.data(), kind.size()));
}

Result<std::int64_t> integer_of(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64() && std::in_range<std::int64_t>(value.get_uint64())) {
    return static_cast<std::int64_t>(value.get_uint64());
  }
  return fail(wrong_type("a whole number", value));
}

Result<double> number_of(const json::value& value) {
  if (value.is_double()) {
    // 1e400 is read as infinite, and JSON has no way to write that.
    if (!std::isfinite(value.get_double())) return fail("expected a number, found one too large");
    return value.get_double();
  }
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  return fail(wrong_type("a number", value));
}

}  // namespace detail

}  // namespace usvc
