// What a terminal shows after some bytes were written to it (libvterm), and how to paint that on another terminal.
// Queries among the bytes are answered to nobody.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/window_size.h"
#include "terminal/repetitions.h"

struct VTerm;

namespace usvc {

struct VTermFree {
  void operator()(VTerm* terminal) const;
};
class WideCharacters;

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
  // As a terminal does that gets another size. Not within a control sequence.
  void forget_margins();
  // The screen in use, for a cleared one of that size; it is cut where it does not fit, and what the cursor is on is
  // shown in any case.
  [[nodiscard]] std::string paint(WindowSize on) const;
  // What has changed since it was painted last, for the terminal that was painted on; all of it the first time. The
  // cursor is left anywhere.
  [[nodiscard]] std::string paint_changes(WindowSize on);
  // Puts cursor and colours where the program has left them. After what modes may have moved; rows count from `first`
  // on, as in origin mode.
  [[nodiscard]] std::string cursor(WindowSize on, int first = 0) const;

 private:
  [[nodiscard]] int first_row(WindowSize on) const;
  [[nodiscard]] std::vector<std::string> rows(WindowSize on) const;

  WindowSize size_;
  std::unique_ptr<VTerm, VTermFree> terminal_;
  std::unique_ptr<WideCharacters> wide_;
  Repetitions repetitions_;
  std::vector<std::string> painted_;  // rows, as paint_changes() has left them on the other terminal
};

}  // namespace usvc
