#include "terminal/screen_modes.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace usvc {

namespace {

constexpr std::size_t longest_sequence = 256;
constexpr char esc = '\x1b';

constexpr int origin_mode = 6;

struct PrivateMode {
  int number;
  bool on_after_reset;
};
// Cursor keys, reversed screen, autowrap, cursor, mouse (what is told, and how), focus, bracketed paste, synchronized
// output. Those that change what columns mean are left out: a picture could not be painted in them.
constexpr std::array<PrivateMode, 17> known_modes{{{1, false},
                                                   {5, false},
                                                   {origin_mode, false},
                                                   {7, true},
                                                   {9, false},
                                                   {25, true},
                                                   {66, false},
                                                   {1000, false},
                                                   {1002, false},
                                                   {1003, false},
                                                   {1004, false},
                                                   {1005, false},
                                                   {1006, false},
                                                   {1015, false},
                                                   {1016, false},
                                                   {2004, false},
                                                   {2026, false}}};

std::string mode_sequence(int number, bool on) {
  return "\x1b[?" + std::to_string(number) + (on ? "h" : "l");
}

}  // namespace

void ScreenModes::private_mode(int number, bool on) {
  if (number == 47 || number == 1047 || number == 1049) {
    alternate_ = on;
    return;
  }
  for (const auto& known : known_modes) {
    if (known.number != number) continue;
    if (known.on_after_reset == on)
      modes_.erase(number);
    else
      modes_[number] = on;
  }
}

void ScreenModes::private_modes(std::string_view numbers, bool on) {
  for (const auto word : split(numbers, ';')) {
    if (const auto number = parse_integer<int>(word)) private_mode(*number, on);
  }
}

// What has a program told of keys that plain bytes can't say: kitty's protocol and xterm's modifyOtherKeys.
void ScreenModes::keyboard(std::string_view sequence) {
  const char last = sequence.back();
  const std::string_view parameters = sequence.substr(1, sequence.size() - 2);
  if (last == 'u' && sequence.front() == '>') ++kitty_depth_;
  if (last == 'u' && sequence.front() == '<') {
    kitty_depth_ = std::max(0, kitty_depth_ - std::max(1, parse_integer<int>(parameters).value_or(1)));
  }
  if (last == 'm' && sequence.front() == '>' && parameters.starts_with("4")) {
    other_keys_ = parameters.size() > 2 && parameters != "4;0" ? parameters : std::string_view();
  }
}

void ScreenModes::csi(std::string_view sequence) {
  if (sequence.empty()) return;
  const char last = sequence.back();
  const std::string_view parameters = sequence.substr(0, sequence.size() - 1);
  if (sequence.front() == '?') {
    if (last == 'h' || last == 'l') private_modes(parameters.substr(1), last == 'h');
    return;
  }
  if (sequence.front() == '>' || sequence.front() == '<') return keyboard(sequence);
  if (sequence == "!p") {  // soft reset
    const bool was_alternate = alternate_;
    *this = {};
    alternate_ = was_alternate;
    return;
  }
  if (parameters == "4" && (last == 'h' || last == 'l')) insert_ = last == 'h';
  if (last == 'r') margins_ = parameters;
  if (last == 'q' && parameters.ends_with(' ')) {
    const auto shape = parameters.substr(0, parameters.size() - 1);
    cursor_shape_ = shape == "0" ? std::string_view() : shape;
  }
}

void ScreenModes::escape(std::string_view sequence) {
  if (sequence == "=") keypad_ = true;
  if (sequence == ">") keypad_ = false;
  if (sequence == "c") *this = {};
  const bool charset = sequence.size() == 2 && (sequence[0] == '(' || sequence[0] == ')');
  if (!charset) return;
  if (sequence[1] == 'B')
    charsets_.erase(sequence[0]);
  else
    charsets_[sequence[0]] = sequence[1];
}

void ScreenModes::control(char c) {
  if (c == '\x0e') shifted_out_ = true;
  if (c == '\x0f') shifted_out_ = false;
}

bool ScreenModes::origin() const {
  return modes_.contains(origin_mode);
}

int ScreenModes::first_row() const {
  if (!origin()) return 0;
  return std::max(1, parse_integer<int>(std::string_view(margins_).substr(0, margins_.find(';'))).value_or(1)) - 1;
}

std::string ScreenModes::to_set() const {
  std::string text;
  for (const auto& [number, on] : modes_) text += mode_sequence(number, on);
  if (insert_) text += "\x1b[4h";
  if (keypad_) text += "\x1b=";
  if (!margins_.empty()) text += "\x1b[" + margins_ + "r";
  if (!cursor_shape_.empty()) text += "\x1b[" + cursor_shape_ + " q";
  for (const auto& [slot, set] : charsets_) text += {esc, slot, set};
  if (shifted_out_) text += '\x0e';
  if (!other_keys_.empty()) text += "\x1b[>" + other_keys_ + "m";
  for (int i = 0; i < kitty_depth_; ++i) text += "\x1b[>1u";
  return text;
}

std::string ScreenModes::to_reset() const {
  std::string text = "\x1b[m";
  for (const auto& [number, on] : modes_) text += mode_sequence(number, !on);
  if (insert_) text += "\x1b[4l";
  if (keypad_) text += "\x1b>";
  // The cursor goes home by this, and the reader's screen is not ours to write over.
  if (origin())  // and a saved one would bring that back
    text += "\x1b[r\x1b[999;1H";
  else if (!margins_.empty())
    text +=
        "\x1b"
        "7\x1b[r\x1b"
        "8";
  if (!cursor_shape_.empty()) text += "\x1b[0 q";
  for (const auto& [slot, set] : charsets_) text += {esc, slot, 'B'};
  if (shifted_out_) text += '\x0f';
  if (!other_keys_.empty()) text += "\x1b[>4;0m";
  if (kitty_depth_ > 0) text += "\x1b[<" + std::to_string(kitty_depth_) + "u";
  // A terminal that has no other screen (GNU screen's default) leaves the cursor there, in a row that is then the
  // prompt's.
  if (alternate_) text += "\x1b[999;1H\x1b[K\x1b[?1049l";
  return text;
}

ScreenModes ScreenModes::of_keys() const {
  constexpr int autowrap = 7;
  constexpr int synchronized_output = 2026;
  ScreenModes keys = *this;
  keys.alternate_ = keys.insert_ = keys.shifted_out_ = false;
  keys.margins_.clear();
  keys.charsets_.clear();
  keys.modes_.erase(autowrap);
  keys.modes_.erase(origin_mode);
  keys.modes_.erase(synchronized_output);
  return keys;
}

void ScreenParser::take(std::string_view bytes) {
  // Most of it is text that changes nothing.
  const auto says_nothing = [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; };
  for (auto at = bytes.begin(); at != bytes.end();) {
    if (state_ == State::text && missing_ == 0) at = std::find_if_not(at, bytes.end(), says_nothing);
    if (at != bytes.end()) take(*at++);
  }
}

void ScreenParser::take(char c) {
  if (state_ == State::text) return text(c);
  sequence(c);
}

void ScreenParser::text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80) {
    if (byte >= 0xc0)
      missing_ = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    else if (missing_ > 0)
      --missing_;
    return;
  }
  missing_ = 0;
  if (c == esc) {
    state_ = State::escape;
    sequence_.clear();
  } else if (byte < 0x20) {
    modes_.control(c);
  }
}

void ScreenParser::sequence(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '\x18' || c == '\x1a') {  // CAN and SUB end every sequence
    state_ = State::text;
    return;
  }
  if (c == esc && state_ != State::string) {
    state_ = State::escape;
    sequence_.clear();
    return;
  }
  switch (state_) {
    case State::text:
      return;
    case State::string:
      if (c == '\x07') state_ = State::text;
      if (c == esc) state_ = State::string_escape;
      return;
    case State::string_escape:
      if (c == '\\') {
        state_ = State::text;
        return;
      }
      state_ = State::escape;  // it was broken off by another sequence
      return sequence(c);
    case State::escape:
      if (byte < 0x20) return;
      if (sequence_.empty() && c == '[') {
        state_ = State::csi;
        return;
      }
      if (sequence_.empty() && std::string_view("]PX^_").find(c) != std::string_view::npos) {
        state_ = State::string;
        return;
      }
      sequence_ += c;
      if (byte >= 0x30 || sequence_.size() > longest_sequence) {
        state_ = State::text;
        modes_.escape(sequence_);
      }
      return;
    case State::csi:
      if (byte < 0x20) return;
      sequence_ += c;
      if (byte >= 0x40 || sequence_.size() > longest_sequence) {
        state_ = State::text;
        modes_.csi(sequence_);
      }
      return;
  }
}

}  // namespace usvc
