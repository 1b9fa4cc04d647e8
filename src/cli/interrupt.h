// Signals that end a command which would otherwise go on for ever, as something to wait for.
#pragma once

#include <initializer_list>
#include <optional>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

// While it lives, INT, TERM, HUP and QUIT no longer end the program; they are read here, as are `more` that are asked
// for. Made before any thread is.
class Interrupt {
 public:
  static Result<Interrupt> create(std::initializer_list<int> more = {});
  [[nodiscard]] FdRef fd() const { return fd_; }  // readable: one has come
  struct Taken {
    int signal = 0;
    bool by_key = false;  // the terminal's user has typed it
  };
  // The next one that has come; none: not yet.
  std::optional<Taken> take();

 private:
  explicit Interrupt(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace usvc
