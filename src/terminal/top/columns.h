// Which columns `top` shows in a window of some width, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace usvc::top {

enum class Column : std::uint8_t { name, pid, group, status, cpu, cpu_line, mem, mem_line, up, deaths, md5, cmd };

struct Placed {
  Column column;
  std::size_t width;
  bool operator==(const Placed&) const = default;
};

// Columns that the data takes.
struct Widest {
  std::size_t name = 0;
  std::size_t group = 0;
  std::size_t pid = 0;
  std::size_t deaths = 0;
};

// From left to right with one column between each two; name and status are always there. The command comes last and
// takes what is left, unless that is next to nothing.
std::vector<Placed> place_columns(std::size_t width, const Widest& widest);
// Numbers stand to the right.
bool right_aligned(Column column);

}  // namespace usvc::top
