// Helpers of this room: reading /proc files of any length, walking its numbered directories, picking numbers out of
// text.
#pragma once

#include <sys/types.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace usvc {

// "/proc/PID/LEAF" without an allocation; valid as long as the object.
class ProcPath {
 public:
  ProcPath(pid_t pid, std::string_view leaf);
  [[nodiscard]] const char* c_str() const { return text_.data(); }

 private:
  std::array<char, 64> text_{};
};

// The entries of a directory whose names are numbers, unsorted; empty when it cannot be read.
std::vector<pid_t> numbered_entries(const char* directory);
// What a symbolic link of /proc says, or nothing.
std::optional<std::string> read_link(const char* path);

// All of `text` as a number of type T, or nothing.
template <class T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): the end is given beside it
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// Takes words off the front of a text, one separator between each two of them.
class Words {
 public:
  explicit Words(std::string_view text, char separator = ' ') : rest_(text), separator_(separator) {}
  // The next word, or an empty one at the end.
  std::string_view next() {
    const std::size_t end = rest_.find(separator_);
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return word;
  }
  void skip(int count) {
    while (count-- > 0) next();
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  char separator_;
};

}  // namespace usvc
