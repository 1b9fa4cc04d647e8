// What a terminal shows after some bytes were written to it (libvterm), and how to paint that on another terminal.
// Queries among the bytes are answered to nobody.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/window_size.h"

struct VTerm;

namespace usvc {

class ScreenPicture {
 public:
  explicit ScreenPicture(WindowSize size);
  ~ScreenPicture();
  ScreenPicture(const ScreenPicture&) = delete;
  ScreenPicture& operator=(const ScreenPicture&) = delete;
  ScreenPicture(ScreenPicture&&) = delete;
  ScreenPicture& operator=(ScreenPicture&&) = delete;

  // With \r\n line ends.
  void write(std::string_view bytes);
  // The screen in use, for a cleared one of that size; it is cut where it does not fit, and what the cursor is on is
  // shown in any case.
  [[nodiscard]] std::string paint(WindowSize on) const;
  // Puts cursor and colours where the program has left them. After what modes may have moved.
  [[nodiscard]] std::string cursor(WindowSize on) const;

 private:
  [[nodiscard]] int first_row(WindowSize on) const;

  struct Free {
    void operator()(VTerm* terminal) const;
  };
  WindowSize size_;
  std::unique_ptr<VTerm, Free> terminal_;
};

}  // namespace usvc
