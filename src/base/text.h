// Text helpers without a home elsewhere.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.h"

namespace usvc {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "64M", "512K", "4G", "100" -> bytes (powers of 1024).
Result<std::uint64_t> parse_size(std::string_view text);
// For people: "12M", "1.5G", "900K"; never longer than 5 characters.
std::string format_size(std::uint64_t bytes);
// All of `text` as an integer without a plus sign or white space; nothing when it is no number or does not fit.
template <class Integer>
std::optional<Integer> parse_integer(std::string_view text, int base = 10) {
  Integer value = 0;
  const auto [stopped, why] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool whole = why == std::errc{} && stopped == text.data() + text.size();
  return whole ? std::optional<Integer>(value) : std::nullopt;
}
// A whole decimal number of `text`, or an error.
Result<long long> parse_number(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
// Natural order: web-2 before web-10.
bool natural_less(std::string_view a, std::string_view b);
// The candidate nearest to a mistyped word, or empty when none is near enough to suggest.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
// The bytes of the well-formed UTF-8 character at the front of `text`, which is not empty; 0: it is none.
std::size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);
// Makes text fit to be shown on one line: control characters and invalid UTF-8 become escapes like \n or \x1b.
std::string printable(std::string_view text);
// One shell word: quoted only where it must be.
std::string shell_quote(std::string_view word);
// `count` random bytes as lower-case hex, from getrandom(2).
std::string random_hex(std::size_t count);

}  // namespace usvc
