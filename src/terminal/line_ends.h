// What a job's terminal leaves undone, since its log is to have plain line ends: \n becomes \r\n on the viewer's side,
// as ONLCR would have done it.
//
// A program that takes line ends into its own hands switches OPOST or ONLCR off, and the latter can't be seen where it
// is off from the beginning. So it is told by its company: full-screen programs, on the alternate screen and without
// line editing, are taken for such. Where ONLCR is on (less has it so) the log has \r\n; a \n alone was written before.
#pragma once

#include <string>
#include <string_view>

#include "shapes/terminal.h"
#include "terminal/screen_modes.h"

namespace usvc {

class LineEnds {
 public:
  // As the terminal's settings are where what is passed next was written; until then as a job's terminal begins.
  void set_modes(const TerminalModes& modes) { modes_ = modes; }
  // How these bytes are to be shown hangs on settings newer than those: the program may have gone back to output
  // processing before it wrote them.
  [[nodiscard]] bool needs_modes(std::string_view bytes) const;
  // Appends what a terminal without output processing is to be given.
  void pass(std::string_view bytes, std::string& out);
  // The state of the screen, as far as the bytes that were passed tell.
  [[nodiscard]] const ScreenParser& screen() const { return screen_; }
  [[nodiscard]] const ScreenModes& modes() const { return screen_.modes(); }
  // The last thing passed was a line end, or nothing.
  [[nodiscard]] bool at_line_start() const { return at_line_start_; }
  // The screen is as `screen` says; or as after a reset.
  void resume(const ScreenParser& screen, bool at_line_start) {
    screen_ = screen;
    at_line_start_ = at_line_start;
  }
  // Somebody else has written a whole line there.
  void line_written() { at_line_start_ = true; }
  // Another program begins where the last one has left the cursor.
  void begin_anew();

 private:
  [[nodiscard]] bool maps_newline() const;

  TerminalModes modes_;
  ScreenParser screen_;
  bool at_line_start_ = true;
  bool after_return_ = false;
};

}  // namespace usvc
