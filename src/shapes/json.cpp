#include "shapes/json.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace usvc {

namespace {

constexpr char escaped_key[] = "escaped";

std::string escape_bytes(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (text[0] == '\\') {
      out += "\\\\";
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

Result<std::string> unescape_bytes(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text[0] != '\\') {
      const std::size_t length = std::min(text.find('\\'), text.size());
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    } else if (text.starts_with("\\\\")) {
      out += '\\';
      text.remove_prefix(2);
    } else {
      const auto byte = text.starts_with("\\x") ? parse_integer<unsigned char>(text.substr(2, 2), 16) : std::nullopt;
      if (!byte || text.size() < 4) return fail("an escaped text has a \\ that is neither \\\\ nor \\xHH");
      out += static_cast<char>(*byte);
      text.remove_prefix(4);
    }
  }
  return out;
}

std::string_view view_of(const json::string& text) {
  return {text.data(), text.size()};
}

// Of texts that belong to one object: `value` itself, or what is in it as a list.
bool are_utf8(const json::value& value) {
  if (value.is_string()) return is_utf8(view_of(value.get_string()));
  if (!value.is_array()) return true;
  return std::all_of(value.get_array().begin(), value.get_array().end(), are_utf8);
}

void escape_texts(json::value& value) {
  if (value.is_string()) value = escape_bytes(view_of(value.get_string()));
  if (!value.is_array()) return;
  for (auto& element : value.get_array()) escape_texts(element);
}

// No struct has such keys; a damaged journal may.
void make_keys_utf8(json::object& object) {
  std::vector<std::string> odd;
  for (const auto& pair : object) {
    const std::string_view key(pair.key().data(), pair.key().size());
    if (!is_utf8(key)) odd.emplace_back(key);
  }
  for (const auto& key : odd) {
    json::value value = std::move(object.at(key));
    object.erase(key);
    object[escape_bytes(key)] = std::move(value);
  }
}

// `in_object`: an object above says how the texts of a list are written.
void make_utf8(json::value& value, bool in_object) {
  if (value.is_array()) {
    for (auto& element : value.get_array()) make_utf8(element, in_object);
  } else if (value.is_string()) {
    const auto text = view_of(value.get_string());
    if (!in_object && !is_utf8(text)) value = json::object{{"text", escape_bytes(text)}, {escaped_key, true}};
  } else if (value.is_object()) {
    auto& object = value.get_object();
    const bool plain =
        std::all_of(object.begin(), object.end(), [](const auto& pair) { return are_utf8(pair.value()); });
    for (auto& pair : object) {
      if (!plain) escape_texts(pair.value());
      make_utf8(pair.value(), true);
    }
    if (!plain) object[escaped_key] = true;
    make_keys_utf8(object);
  }
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::size_t limit, const json::storage_ptr& memory) {
  if (text.size() > limit) {
    return fail("JSON of " + std::to_string(text.size()) + " bytes: more than the " + std::to_string(limit) +
                " allowed");
  }
  json::parse_options options;
  options.max_depth = 32;
  options.allow_invalid_utf8 = true;  // a job's arguments are bytes
  boost::system::error_code error;
  auto value = json::parse(json::string_view(text.data(), text.size()), error, memory, options);
  if (error) return fail("not valid JSON: " + error.message());
  return value;
}

std::string json_text(const json::value& value) {
  std::string text = json::serialize(value);
  if (is_utf8(text)) return text;
  json::value made = value;
  make_utf8(made, false);
  return json::serialize(made);
}

namespace detail {

void append_json_value(std::string& out, const json::value& value) {
  out += json::serialize(value);
}

void append_json_text(std::string& out, std::string_view text) {
  const auto is_plain = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; };
  if (!std::all_of(text.begin(), text.end(), is_plain)) {
    out += json::serialize(json::string_view(text.data(), text.size()));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

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

Result<std::string> text_of(const json::value& value, Texts texts) {
  if (!value.is_string()) return fail(wrong_type("a text", value));
  const auto text = view_of(value.get_string());
  if (texts == Texts::escaped) return unescape_bytes(text);
  return std::string(text);
}

Texts texts_of(const json::object& object) {
  const auto* escaped = object.if_contains(escaped_key);
  return escaped != nullptr && escaped->is_bool() && escaped->get_bool() ? Texts::escaped : Texts::plain;
}

}  // namespace detail

}  // namespace usvc
