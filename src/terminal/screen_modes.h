// What a program has switched on in the terminal it writes to, read from the bytes it writes: the alternate screen,
// mouse, bracketed paste and their like. Needed to bring another terminal into the same state, and back out of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace usvc {

class ScreenModes {
 public:
  // On the alternate screen, where full-screen programs live.
  [[nodiscard]] bool alternate() const { return alternate_; }
  // Rows are counted from the upper margin on (DECOM).
  [[nodiscard]] bool origin() const;
  // Text scrolls in some of the rows only (DECSTBM). A terminal forgets that when it gets another size.
  [[nodiscard]] bool has_margins() const { return !margins_.empty(); }
  void forget_margins() { margins_.clear(); }
  // The row that cursor positions count from, 0 for the screen's first.
  [[nodiscard]] int first_row() const;
  // What brings a terminal that has just been reset there; the alternate screen is not part of it. Moves the cursor.
  [[nodiscard]] std::string to_set() const;
  // Back from there, the alternate screen included. Where nothing is on it only takes colours away. Leaves the cursor
  // where nothing is written over: in its place, or in the last row.
  [[nodiscard]] std::string to_reset() const;
  bool operator==(const ScreenModes&) const = default;
  // Those that hold for what is typed, and how the cursor looks: without what decides where written text lands.
  [[nodiscard]] ScreenModes of_keys() const;

  // As the program's control sequences say it.
  void control(char c);
  void escape(std::string_view sequence);  // without ESC
  void csi(std::string_view sequence);     // without ESC [, with its last character

 private:
  void private_modes(std::string_view numbers, bool on);
  void private_mode(int number, bool on);
  void keyboard(std::string_view sequence);

  bool alternate_ = false;
  std::map<int, bool> modes_;  // DEC private modes that are not as they are after a reset
  bool insert_ = false;
  bool keypad_ = false;
  bool shifted_out_ = false;
  std::string margins_;       // "2;10"
  std::string cursor_shape_;  // "6"
  std::map<char, char> charsets_;
  int kitty_depth_ = 0;  // keyboard modes pushed (CSI > N u)
  std::string other_keys_;
};

// Finds the control sequences in a stream of bytes and tells the modes of them.
class ScreenParser {
 public:
  void take(std::string_view bytes);
  void take(char c);
  bool operator==(const ScreenParser&) const = default;
  // No sequence and no character is half written.
  [[nodiscard]] bool at_rest() const { return state_ == State::text && missing_ == 0; }
  [[nodiscard]] bool in_text() const { return state_ == State::text; }
  [[nodiscard]] const ScreenModes& modes() const { return modes_; }
  void forget() { *this = {}; }
  void forget_margins() { modes_.forget_margins(); }

 private:
  enum class State { text, escape, csi, string, string_escape };
  void text(char c);
  void sequence(char c);

  State state_ = State::text;
  std::string sequence_;
  int missing_ = 0;  // bytes of a UTF-8 character
  ScreenModes modes_;
};

}  // namespace usvc
