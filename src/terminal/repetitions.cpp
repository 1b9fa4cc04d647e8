#include "terminal/repetitions.h"

#include <algorithm>

#include "base/text.h"

namespace usvc {

namespace {

constexpr char begins_sequence = '\x1b';
constexpr char cancel = '\x18';
constexpr char substitute = '\x1a';
constexpr std::size_t longest_parameters = 32;

}  // namespace

std::string Repetitions::written_out(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    if (state_ != State::text) {
      sequence(c, out);
      continue;
    }
    out += c;
    if (c == begins_sequence) {
      state_ = State::escape;
    } else {
      text(c);
    }
  }
  return out;
}

void Repetitions::text(char c) {
  constexpr std::size_t longest_character = 4;
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80 && byte < 0xc0) {
    const bool belongs = !last_.empty() && static_cast<unsigned char>(last_.front()) >= 0xc0;
    if (belongs && last_.size() < longest_character) last_ += c;
  } else if (byte >= 0x20 && byte != 0x7f) {
    last_ = c;
  }
}

Repetitions::State Repetitions::after_escape(char c) {
  if (c == '[') return State::csi;
  if (std::string_view("]PX^_").find(c) != std::string_view::npos) return State::string;
  return c >= 0x20 && c < 0x30 ? State::designator : State::text;
}

// As libvterm takes sequences: control characters do not end them.
void Repetitions::sequence(char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  const State before = state_;
  if (c == begins_sequence) {
    state_ = State::escape;
  } else if (c == cancel || c == substitute) {
    state_ = State::text;
  } else if (before == State::string) {
    if (c == '\x07') state_ = State::text;
  } else if (byte >= 0x20 && byte != 0x7f) {
    if (before == State::escape) {
      state_ = after_escape(c);
      parameters_.clear();
    } else if (before == State::designator) {
      if (byte >= 0x30) state_ = State::text;
    } else if (byte < 0x40) {
      if (parameters_.size() < longest_parameters) parameters_ += c;
    } else {
      state_ = State::text;
      if (c == 'b') {
        out += cancel;  // what of it has been passed on
        return repeat(out);
      }
    }
  }
  out += c;
}

void Repetitions::repeat(std::string& out) const {
  const bool once = parameters_.empty() || parameters_ == "0";
  const std::size_t count = once ? 1 : parse_integer<std::size_t>(parameters_).value_or(0);
  for (std::size_t i = 0; i < std::min(count, most_); ++i) out += last_;
}

}  // namespace usvc
