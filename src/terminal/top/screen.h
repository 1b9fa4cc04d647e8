// The terminal as a screen full of rows, and its keys, by ncurses.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "terminal/top/controls.h"
#include "terminal/top/frame.h"

namespace usvc::top {

// While it lives, and is not left, the terminal is ours: no echo, keys at once. Whatever ends it gives the terminal
// back as it was. There may be one at a time.
class Screen {
 public:
  // Takes standard input and output, which must be a terminal that can be drawn on. Signals are to be blocked: ncurses'
  // own handlers would do too much.
  static Result<Screen> open(bool colors);

  [[nodiscard]] Charset charset() const { return charset_; }
  // As the terminal has it now.
  static Size size();
  void draw(const std::vector<Row>& rows) const;
  // The next draw() writes every cell: somebody else has written on the terminal.
  static void redraw_all();
  // The next key that has come; none: not yet.
  static std::optional<Key> key();
  // Gives the terminal to somebody else for a while.
  static void leave();
  static void come_back();
  // While it is left: a key can be read without Enter, and is not shown.
  static void keys_at_once();

 private:
  struct End {
    void operator()(void* screen) const;
  };
  using Handle = std::unique_ptr<void, End>;  // ncurses' SCREEN, whose header would give every includer its names

  Screen(Handle screen, Charset charset, bool colors)
      : screen_(std::move(screen)), charset_(charset), colors_(colors) {}
  void put(int y, const Row& row) const;

  Handle screen_;
  Charset charset_;
  bool colors_;
};

}  // namespace usvc::top
