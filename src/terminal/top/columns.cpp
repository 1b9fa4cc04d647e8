#include "terminal/top/columns.h"

#include <algorithm>
#include <array>

namespace usvc::top {

namespace {

// The first to go comes first. What is known by its figures can be told from few columns.
constexpr std::array droppable = {Column::md5, Column::mem_line, Column::group, Column::cpu_line, Column::deaths,
                                  Column::pid, Column::up,       Column::mem,   Column::cpu};
// With fewer columns a command tells nothing.
constexpr std::size_t least_command = 12;
constexpr std::size_t wide = 120;

std::size_t line_width(std::size_t width) {
  return std::clamp<std::size_t>(width / 13, 6, 24);
}

std::size_t width_of(Column column, std::size_t width, const Widest& widest) {
  switch (column) {
    case Column::name:
      // Its title, and a mark when it is sorted by it.
      return std::clamp<std::size_t>(widest.name, 13, std::max<std::size_t>(13, width / 5));
    case Column::pid:
      return std::clamp<std::size_t>(widest.pid, 5, 10);
    case Column::group:
      return std::clamp<std::size_t>(widest.group, 5, std::max<std::size_t>(8, width / 10));
    case Column::status:
      return 11;
    case Column::cpu:
      return 6;
    case Column::cpu_line:
    case Column::mem_line:
      return line_width(width);
    case Column::mem:
    case Column::up:
      return 5;
    case Column::deaths:
      return std::clamp<std::size_t>(widest.deaths, 2, 7);
    case Column::md5:
      return 9;
    case Column::cmd:
      return least_command;
  }
  return 0;
}

std::size_t total(const std::vector<Placed>& columns) {
  std::size_t sum = 0;
  for (const auto& placed : columns) sum += placed.width + 1;
  return sum - 1;
}

}  // namespace

bool right_aligned(Column column) {
  switch (column) {
    case Column::pid:
    case Column::cpu:
    case Column::mem:
    case Column::up:
    case Column::deaths:
      return true;
    case Column::name:
    case Column::group:
    case Column::status:
    case Column::cpu_line:
    case Column::mem_line:
    case Column::md5:
    case Column::cmd:
      return false;
  }
  return false;
}

std::vector<Placed> place_columns(std::size_t width, const Widest& widest) {
  std::vector<Placed> columns;
  for (const Column column : {Column::name, Column::pid, Column::group, Column::status, Column::cpu, Column::cpu_line,
                              Column::mem, Column::mem_line, Column::up, Column::deaths, Column::md5, Column::cmd}) {
    columns.push_back({column, width_of(column, width, widest)});
  }
  if (width < wide) std::erase_if(columns, [](const Placed& placed) { return placed.column == Column::md5; });
  for (const Column column : droppable) {
    if (total(columns) <= width) break;
    std::erase_if(columns, [column](const Placed& placed) { return placed.column == column; });
  }
  if (total(columns) > width) columns.pop_back();
  if (total(columns) > width) {
    const std::size_t status = width_of(Column::status, width, widest);
    columns.front().width = width > status + 1 ? width - status - 1 : width;
  }
  if (columns.back().column == Column::cmd) columns.back().width += width - total(columns);
  return columns;
}

}  // namespace usvc::top
