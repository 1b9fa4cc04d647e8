#include "terminal/key_filter.h"

#include <utility>
#include <vector>

#include "base/text.h"

namespace usvc {

namespace {

constexpr char ctrl_c = '\x03';
constexpr char ctrl_d = '\x04';
constexpr char ctrl_backslash = '\x1c';
constexpr char ctrl_bracket = '\x1d';
constexpr std::string_view paste_begins = "\x1b[200~";
constexpr std::string_view paste_ends = "\x1b[201~";
constexpr std::size_t longest_key = 32;

struct Key {
  char control = 0;  // the byte it stands for; 0: none of ours
  std::size_t length = 1;
};

// "100;5" or "100;5:1": a letter with Ctrl, pressed.
char with_control(std::string_view code, std::string_view modifiers) {
  if (modifiers != "5" && modifiers != "5:1") return 0;
  const auto number = parse_integer<int>(code);
  const bool ours = number && (*number == 'c' || *number == 'd' || *number == ']' || *number == '\\');
  return ours ? static_cast<char>(*number & 0x1f) : '\0';
}

Key key_at(std::string_view bytes) {
  if (!bytes.starts_with("\x1b[")) return {bytes.front(), 1};
  const auto last = bytes.substr(0, longest_key).find_first_of("u~");
  if (last == std::string_view::npos) return {};
  const auto words = split(bytes.substr(2, last - 2), ';');
  char control = 0;
  if (bytes[last] == 'u' && words.size() == 2) control = with_control(words[0], words[1]);
  if (bytes[last] == '~' && words.size() == 3 && words[0] == "27") control = with_control(words[2], words[1]);
  return control == 0 ? Key{} : Key{control, last + 1};
}

}  // namespace

void KeyFilter::follow_paste(char c) {
  const std::string_view mark = pasting_ ? paste_ends : paste_begins;
  if (c != mark[matched_]) matched_ = 0;
  if (c == mark[matched_]) ++matched_;
  if (matched_ < mark.size()) return;
  matched_ = 0;
  pasting_ = !pasting_;
}

Typed KeyFilter::take(std::string_view bytes, bool signals) {
  Typed typed;
  if (keys_ == Keys::run) {
    typed.bytes = bytes;
    typed.interrupts = signals && bytes.find_first_of("\x03\x1c") != std::string_view::npos;
    return typed;
  }
  while (!bytes.empty()) {
    const Key key = pasting_ ? Key{} : key_at(bytes);
    const bool literal = std::exchange(as_it_is_, false);
    // A paste is nobody's command, but what it makes of a job's terminal must not be a signal either.
    if (pasting_ && signals && (bytes.front() == ctrl_c || bytes.front() == ctrl_backslash)) {
      typed.held_back = true;
      bytes.remove_prefix(1);
      continue;
    }
    if (!literal && key.control == ctrl_d) {
      typed.leave = true;
      return typed;
    }
    if (!literal && key.control == ctrl_bracket) {
      as_it_is_ = true;
    } else if (!literal && (key.control == ctrl_c || (key.control == ctrl_backslash && signals))) {
      typed.held_back = true;
    } else {
      typed.bytes += bytes.substr(0, key.length);
      for (const char c : bytes.substr(0, key.length)) follow_paste(c);
    }
    bytes.remove_prefix(key.length);
  }
  return typed;
}

}  // namespace usvc
