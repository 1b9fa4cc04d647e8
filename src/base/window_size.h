// How many rows and columns a terminal has.
#pragma once

#include <cstdint>
#include <optional>

#include "base/fd.h"

namespace usvc {

struct WindowSize {
  std::uint16_t rows = 24;
  std::uint16_t columns = 80;
  bool operator==(const WindowSize&) const = default;
};

// Of a terminal or, for whoever holds the other side, its master. Nothing: it is no terminal, or does not say.
std::optional<WindowSize> window_size(FdRef terminal);
// Programs in it hear of a change by SIGWINCH. False: it is no terminal.
bool set_window_size(FdRef terminal, WindowSize size);
// It shows `rows` rows for a moment only: its real size stays noted in it, for whoever finds it so.
bool set_passing_rows(FdRef terminal, WindowSize real, std::uint16_t rows);
// Gives a window that was left so its real size.
void end_passing_rows(FdRef terminal);

}  // namespace usvc
