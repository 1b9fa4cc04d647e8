// A job as a line of a table for people: what `status` and `top` both show of it.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/display.h"

namespace usvc {

enum class Cell : std::size_t { name, pid, group, status, cpu, mem, up, deaths, md5, cmd };

inline constexpr std::array<std::string_view, 10> cell_titles = {"service name", "pid", "group", "status", "cpu",
                                                                 "mem",          "up",  "D",     "md5",    "cmd"};

struct JobRow {
  std::array<std::string, cell_titles.size()> cells;
  std::string trouble;  // why it needs a look, or empty
  Color color = Color::plain;

  [[nodiscard]] const std::string& at(Cell cell) const { return cells[static_cast<std::size_t>(cell)]; }
};

}  // namespace usvc
