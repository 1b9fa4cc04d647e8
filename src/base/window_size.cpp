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

}  // namespace usvc
