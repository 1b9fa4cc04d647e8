#include "base/text.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace usvc {
namespace {

constexpr std::string_view size_units = "KMGTPE";

constexpr bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view take_digits(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  const std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

// <0, 0, >0 for two runs of digits of any length, by value.
int compare_digits(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

// Optimal string alignment: inserting, deleting, replacing or swapping two neighbours each cost 1.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// Length of the printable UTF-8 character at the start of `text`; 0 when there is none.
std::size_t printable_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return byte(0) >= 0x20 && byte(0) != 0x7f ? 1 : 0;
  const std::size_t length = utf8_length(text);
  // U+0080 to U+009F are control characters too: U+009B starts an escape sequence on some terminals.
  return length == 2 && byte(0) == 0xc2 && byte(1) < 0xa0 ? 0 : length;
}

void append_escaped(std::string& to, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
    case '\n':
      to += "\\n";
      return;
    case '\t':
      to += "\\t";
      return;
    case '\r':
      to += "\\r";
      return;
    default:
      to += {'\\', 'x', digits[byte >> 4U], digits[byte & 0xfU]};
  }
}

// How many of the first bytes are ASCII, by eights.
std::size_t ascii_words(std::string_view text) {
  std::size_t length = 0;
  for (std::uint64_t word = 0; length + sizeof word <= text.size(); length += sizeof word) {
    std::memcpy(&word, text.data() + length, sizeof word);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  return length;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto wrong = [&] {
    return fail(Error("'" + printable(text) + "' is not a size", ErrorKind::usage)
                    .hint("a whole number of bytes, or with K, M, G or T, like 64M"));
  };
  std::string_view rest = text;
  const std::string_view digits = take_digits(rest);
  const auto value = parse_integer<std::uint64_t>(digits);
  if (!value) return wrong();
  if (rest.empty()) return *value;
  const char unit = rest[0] >= 'a' && rest[0] <= 'z' ? static_cast<char>(rest[0] - 'a' + 'A') : rest[0];
  unsigned shift = 0;
  if (const auto index = size_units.find(unit); index != std::string_view::npos) {
    shift = 10 * (static_cast<unsigned>(index) + 1);
    rest.remove_prefix(1);
    if (rest == "iB") rest.remove_prefix(1);
  }
  if (!rest.empty() && rest != "B") return wrong();
  if (*value > std::numeric_limits<std::uint64_t>::max() >> shift) return wrong();
  return *value << shift;
}

std::string format_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes);
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.5 would be rounded to 1024.
  while (value >= 1023.5 && unit + 1 < size_units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  const long tenths = std::lround(value * 10);
  const bool whole = tenths >= 100 || tenths % 10 == 0;
  (void)std::snprintf(text.data(), text.size(), whole ? "%.0f" : "%.1f", value);
  return text.data() + std::string(1, size_units[unit]);
}

Result<long long> parse_number(std::string_view text) {
  if (const auto value = parse_integer<long long>(text)) return *value;
  return fail(Error("'" + printable(text) + "' is not a number", ErrorKind::usage).hint("a whole number"));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool natural_less(std::string_view a, std::string_view b) {
  std::string_view rest_a = a;
  std::string_view rest_b = b;
  while (!rest_a.empty() && !rest_b.empty()) {
    if (is_digit(rest_a[0]) && is_digit(rest_b[0])) {
      const int order = compare_digits(take_digits(rest_a), take_digits(rest_b));
      if (order != 0) return order < 0;
      continue;
    }
    if (rest_a[0] != rest_b[0]) {
      return static_cast<unsigned char>(rest_a[0]) < static_cast<unsigned char>(rest_b[0]);
    }
    rest_a.remove_prefix(1);
    rest_b.remove_prefix(1);
  }
  if (rest_a.empty() != rest_b.empty()) return rest_a.empty();
  // Equal but for leading zeros: any fixed order will do, as long as different names are never "equal".
  return a < b;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  // The dashes of an option are right in all candidates.
  const std::size_t letters = word.size() - std::min(word.find_first_not_of('-'), word.size());
  const std::size_t near_enough = std::max<std::size_t>(1, letters / 3);
  const std::string* best = nullptr;
  std::size_t best_distance = near_enough + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t lengths_apart = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (lengths_apart >= best_distance) continue;
    const std::size_t distance = edit_distance(word, candidate);
    // Two words without a letter in common are not mistypings of each other, however short they are.
    if (distance < best_distance && distance < std::max(word.size(), candidate.size())) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best == nullptr ? std::string() : *best;
}

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  // Longer than need be, half of a UTF-16 pair, or beyond the last character.
  const unsigned char second_byte = byte(1);
  if (lead == 0xe0 && second_byte < 0xa0) return 0;
  if (lead == 0xed && second_byte > 0x9f) return 0;
  if (lead == 0xf0 && second_byte < 0x90) return 0;
  if (lead == 0xf4 && second_byte > 0x8f) return 0;
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(ascii_words(text));
    if (text.empty()) break;
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = printable_length(text);
    if (length == 0) append_escaped(result, text[0]);
    result += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string shell_quote(std::string_view word) {
  constexpr std::string_view harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(harmless) == std::string_view::npos) return std::string(word);
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::string random_hex(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t got = ::getrandom(bytes.data() + filled, count - filled, 0);
    // It can only fail where the call does not exist. Something guessable must never stand in for a secret.
    if (got < 0 && errno != EINTR) std::abort();
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  result.reserve(count * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    result += {digits[byte >> 4U], digits[byte & 0xfU]};
  }
  return result;
}

}  // namespace usvc
