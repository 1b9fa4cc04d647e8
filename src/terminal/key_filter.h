// What a viewer's keys mean: Ctrl-D leaves, Ctrl-C is held back, Ctrl-] sends the next key as it is, all others are the
// program's. What is pasted (between the marks of bracketed paste) is nobody's command.
//
// Keys also come as sequences, where a program has asked for that: kitty's "CSI 100;5u" and xterm's "CSI 27;5;100~" are
// Ctrl-D too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace usvc {

enum class Keys : std::uint8_t {
  attach,  // as above
  run,     // every key is the program's
};

struct Typed {
  std::string bytes;  // for the program
  bool leave = false;
  bool held_back = false;
  bool interrupts = false;  // among the bytes is a key that the terminal ends programs by
};

class KeyFilter {
 public:
  explicit KeyFilter(Keys keys) : keys_(keys) {}
  // `signals`: the terminal makes signals of keys: Ctrl-\ would end the program as Ctrl-C does.
  Typed take(std::string_view bytes, bool signals);

 private:
  void follow_paste(char c);

  Keys keys_;
  bool as_it_is_ = false;  // the next key
  bool pasting_ = false;
  std::size_t matched_ = 0;  // of the mark that begins or ends a paste
};

}  // namespace usvc
