#include "base/window_size.h"

#include <sys/ioctl.h>

namespace usvc {

std::optional<WindowSize> window_size(FdRef terminal) {
  winsize size{};
  if (::ioctl(terminal.get(), TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return std::nullopt;
  return WindowSize{size.ws_row, size.ws_col};
}

bool set_window_size(FdRef terminal, WindowSize size) {
  const winsize wanted{.ws_row = size.rows, .ws_col = size.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  return ::ioctl(terminal.get(), TIOCSWINSZ, &wanted) == 0;
}

// In the height in pixels: a real one has a width too.
bool set_passing_rows(FdRef terminal, WindowSize real, std::uint16_t rows) {
  const winsize wanted{.ws_row = rows, .ws_col = real.columns, .ws_xpixel = 0, .ws_ypixel = real.rows};
  return ::ioctl(terminal.get(), TIOCSWINSZ, &wanted) == 0;
}

void end_passing_rows(FdRef terminal) {
  winsize size{};
  if (::ioctl(terminal.get(), TIOCGWINSZ, &size) != 0 || size.ws_xpixel != 0 || size.ws_ypixel == 0) return;
  (void)set_window_size(terminal, {.rows = size.ws_ypixel, .columns = size.ws_col});
}

}  // namespace usvc
