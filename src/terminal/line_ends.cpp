#include "terminal/line_ends.h"

namespace usvc {

bool LineEnds::maps_newline() const {
  return modes_.opost && !after_return_ && (modes_.icanon || !screen_.modes().alternate());
}

// On the main screen few programs without output processing write \n alone; many go back to it before they print.
bool LineEnds::needs_modes(std::string_view bytes) const {
  if (modes_.opost || bytes.find('\n') == std::string_view::npos) return false;
  ScreenParser screen = screen_;
  bool after_return = after_return_;
  for (const char c : bytes) {
    if (c == '\n' && !after_return && screen.in_text() && !screen.modes().alternate()) return true;
    after_return = c == '\r';
    screen.take(c);
  }
  return false;
}

void LineEnds::pass(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    if (c == '\n' && screen_.in_text() && maps_newline()) out += '\r';
    out += c;
    after_return_ = c == '\r';
    const bool was_alternate = screen_.modes().alternate();
    screen_.take(c);
    // What the settings were before it went there says nothing any more.
    if (!was_alternate && screen_.modes().alternate()) modes_.icanon = false;
    if (screen_.in_text() && c != '\r') at_line_start_ = c == '\n';
  }
}

void LineEnds::begin_anew() {
  // A full-screen program was begun by a line.
  at_line_start_ = at_line_start_ || screen_.modes().alternate();
  screen_.forget();
  modes_ = {};
  after_return_ = false;
}

}  // namespace usvc
