// REP (CSI Ps b: the last character once more) written out as text. libvterm 0.3 loops for ever where no character came
// before it, and writes beyond the row where a wide one did.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace usvc {

class Repetitions {
 public:
  // No more than `most` of one character at a time.
  explicit Repetitions(std::size_t most) : most_(most) {}
  // The bytes with each REP replaced; sequences and characters may come in parts.
  std::string written_out(std::string_view bytes);

 private:
  enum class State { text, escape, designator, csi, string };
  void text(char c);
  static State after_escape(char c);
  void sequence(char c, std::string& out);
  void repeat(std::string& out) const;

  std::size_t most_;
  State state_ = State::text;
  std::string parameters_;
  std::string last_;  // character, as its bytes
};

}  // namespace usvc
