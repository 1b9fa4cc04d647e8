#include "terminal/line_ends.h"

namespace usvc {

bool LineEnds::maps_newline() const {
  return modes_.opost && !after_return_ && (modes_.icanon || !screen_.modes().alternate());
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
  screen_.forget();
  modes_ = {};
  after_return_ = false;
  at_line_start_ = true;
}

}  // namespace usvc
