// Structs to JSON and back, driven by Boost.Describe: the one mapping for the API, the journal and --json.
//
// To JSON: every described member becomes a key of the same name; an empty optional becomes null, or is left out when
// the caller says Absent::omit. From JSON: unknown keys are ignored and missing ones keep the struct's default, so that
// either side may be newer than the other; a value of the wrong type is an error that names its key.
// Strings are bytes, and JSON has characters: where one of an object's texts, or of its lists of texts, is not UTF-8,
// then in all of them each byte that does not fit is written \xHH and each backslash twice, and "escaped": true is
// among its keys. In a list that belongs to no object such a text is {"text","escaped"}. json_text() writes it so and
// from_json() reads it; bytes as they are, which older versions wrote, are read too.
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11.hpp>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/boxed_optional.h"
#include "base/error.h"
#include "base/text.h"

namespace usvc {

namespace json = boost::json;

enum class Absent { null, omit };
enum class Texts { plain, escaped };

inline constexpr std::size_t default_json_limit = std::size_t{16} << 20U;

// Rejects text over `limit` bytes, nesting beyond 32 levels and anything after the document.
// `memory` outlives the value.
Result<json::value> parse_json(std::string_view text, std::size_t limit = default_json_limit,
                               const json::storage_ptr& memory = {});
// Compact, on one line, always UTF-8: control characters are escaped by JSON itself, the rest as told above.
std::string json_text(const json::value& value);

namespace detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsOptional<BoxedOptional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T>
concept Described = boost::describe::has_describe_members<T>::value;

// Calls use(name, field) for each member that is written.
template <Described T, class Use>
void each_written(const T& value, Absent absent, Use use) {
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    const auto& field = value.*member.pointer;
    if constexpr (IsOptional<std::remove_cvref_t<decltype(field)>>::value) {
      if (absent == Absent::omit && !field) return;
    }
    use(member.name, field);
  });
}

void append_json_value(std::string& out, const json::value& value);
void append_json_text(std::string& out, std::string_view text);
Error wrong_type(const char* expected, const json::value& value);
Result<std::int64_t> integer_of(const json::value& value);
Result<double> number_of(const json::value& value);
Result<std::string> text_of(const json::value& value, Texts texts);
Texts texts_of(const json::object& object);

}  // namespace detail

template <class T>
json::value to_json(const T& value, Absent absent = Absent::null) {
  if constexpr (detail::IsOptional<T>::value) {
    return value ? to_json(*value, absent) : json::value(nullptr);
  } else if constexpr (detail::IsVector<T>::value) {
    json::array array;
    array.reserve(value.size());
    for (const auto& element : value) array.push_back(to_json(element, absent));
    return array;
  } else if constexpr (detail::Described<T>) {
    json::object object;
    object.reserve(boost::mp11::mp_size<detail::Members<T>>::value);
    detail::each_written(value, absent,
                         [&](const char* name, const auto& field) { object.emplace(name, to_json(field, absent)); });
    return object;
  } else if constexpr (std::same_as<T, std::string>) {
    return json::string(value);
  } else {
    return json::value(value);  // bool, numbers, what is JSON already
  }
}

namespace detail {

// What json_text(to_json(value)) gives where all texts are UTF-8, without the values between.
template <class T>
void append_json(std::string& out, const T& value, Absent absent) {
  if constexpr (std::same_as<T, json::value>) {
    append_json_value(out, value);
  } else if constexpr (IsOptional<T>::value) {
    if (value)
      append_json(out, *value, absent);
    else
      out += "null";
  } else if constexpr (IsVector<T>::value) {
    out += '[';
    bool first = true;
    for (const auto& element : value) {
      if (!std::exchange(first, false)) out += ',';
      append_json(out, element, absent);
    }
    out += ']';
  } else if constexpr (Described<T>) {
    out += '{';
    bool first = true;
    each_written(value, absent, [&](const char* name, const auto& field) {
      out += std::exchange(first, false) ? "\"" : ",\"";
      out += name;
      out += "\":";
      append_json(out, field, absent);
    });
    out += '}';
  } else if constexpr (std::same_as<T, std::string>) {
    append_json_text(out, value);
  } else if constexpr (std::same_as<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::integral<T>) {
    std::array<char, 24> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
    out.append(digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr);
  } else {
    append_json_value(out, json::value(value));
  }
}

}  // namespace detail

// The text of a struct.
template <class T>
std::string to_json_text(const T& value, Absent absent = Absent::null) {
  std::string text;
  detail::append_json(text, value, absent);
  return is_utf8(text) ? text : json_text(to_json(value, absent));
}

// `texts`: how those are written that are in no object of `value`.
template <class T>
Status from_json(const json::value& value, T& out, Texts texts = Texts::plain) {
  if constexpr (std::same_as<T, json::value>) {
    out = value;
    return {};
  } else if constexpr (detail::IsOptional<T>::value) {
    if (value.is_null()) {
      out.reset();
      return {};
    }
    return from_json(value, out.emplace(), texts);
  } else if constexpr (detail::IsVector<T>::value) {
    if (!value.is_array()) return fail(detail::wrong_type("a list", value));
    out.clear();
    for (const auto& element : value.get_array()) {
      typename T::value_type item{};
      if (auto status = from_json(element, item, texts); !status) return status;
      out.push_back(std::move(item));
    }
    return {};
  } else if constexpr (detail::Described<T>) {
    if (!value.is_object()) return fail(detail::wrong_type("an object", value));
    const auto& object = value.get_object();
    const Texts own = detail::texts_of(object);
    Status status;
    const auto* next = object.begin();  // as we write them, keys come in the members' order
    boost::mp11::mp_for_each<detail::Members<T>>([&](auto member) {
      if (!status) return;
      const bool in_order = next != object.end() && next->key() == member.name;
      const auto* found = in_order ? &next->value() : object.if_contains(member.name);
      if (in_order) ++next;
      if (found == nullptr) return;
      status = from_json(*found, out.*member.pointer, own);
      if (!status) status = pass(status, member.name);
    });
    return status;
  } else if constexpr (std::same_as<T, std::string>) {
    auto text = detail::text_of(value, texts);
    if (!text) return pass(text);
    out = std::move(*text);
    return {};
  } else if constexpr (std::same_as<T, bool>) {
    if (!value.is_bool()) return fail(detail::wrong_type("true or false", value));
    out = value.get_bool();
    return {};
  } else if constexpr (std::floating_point<T>) {
    auto number = detail::number_of(value);
    if (!number) return pass(number);
    out = static_cast<T>(*number);
    return {};
  } else {
    static_assert(std::integral<T>);
    auto number = detail::integer_of(value);
    if (!number) return pass(number);
    if (!std::in_range<T>(*number)) return fail(detail::wrong_type("a number in range", value));
    out = static_cast<T>(*number);
    return {};
  }
}

// The document of a request, a reply or a journal line.
template <class T>
Result<T> parse_as(std::string_view text) {
  std::array<unsigned char, 4096> first;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  json::monotonic_resource memory(first.data(), first.size());
  auto value = parse_json(text, default_json_limit, &memory);
  if (!value) return pass(value);
  T out{};
  if (auto status = from_json(*value, out); !status) return pass(status);
  return out;
}

}  // namespace usvc
