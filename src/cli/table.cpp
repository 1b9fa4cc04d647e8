#include "cli/table.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "cli/words.h"

namespace usvc {

namespace {

constexpr std::size_t last_padded = cell_titles.size() - 1;
using Widths = std::array<std::size_t, cell_titles.size()>;
// With fewer columns a command tells nothing.
constexpr std::size_t least_command = 12;
constexpr std::size_t longest_usual_trouble = 16;  // "exit 1, 7 times"
constexpr std::size_t gap = 2;
// The first to go where there is no room for the command.
constexpr std::array droppable = {Cell::md5, Cell::group, Cell::deaths, Cell::up, Cell::mem, Cell::cpu};

// The mark behind the line of a job in trouble.
std::string mark_of(const JobRow& row) {
  return row.trouble.empty() ? "" : "   ! " + row.trouble;
}

std::string percent_words(double percent) {
  return percent < 99.95 ? fmt::format("{:.1f}%", percent) : fmt::format("{:.0f}%", percent);
}

std::string command_words(const std::vector<std::string>& cmd) {
  std::string text;
  for (const auto& word : cmd) {
    if (!text.empty()) text += ' ';
    text += printable(shell_quote(word));
  }
  return text.empty() ? "-" : text;
}

std::string md5_words(const JobView& job) {
  if (!job.md5) return "-";
  return printable(job.md5->substr(0, 8)) + (job.md5_changed.value_or(false) ? "*" : "");
}

Color color_of_job(const JobView& job, const std::string& trouble) {
  if (job.state == "waiting") return Color::yellow;
  if (!trouble.empty()) return Color::red;
  if (job.state == "stopped" || job.state == "dead") return Color::dim;
  return Color::plain;
}

void append_line(std::string& out, const JobRow& row, const Widths& widths, const Terminal& terminal) {
  std::string line;
  for (std::size_t i = 0; i < last_padded; ++i) {
    if (widths[i] == 0) continue;
    line += row.cells[i];
    line.append(widths[i] - display_width(row.cells[i]) + gap, ' ');
  }
  line += row.cells[last_padded];
  if (const std::string mark = mark_of(row); !mark.empty()) {
    const std::size_t mark_width = display_width(mark);
    // What is wrong matters more than how the command goes on; the name and its first columns matter as much.
    if (terminal.width()) {
      const std::size_t room = *terminal.width() > mark_width ? *terminal.width() - mark_width : 0;
      line = cut_to(line, std::max(room, widths[0]));
    }
    line += mark;
  }
  out += terminal.paint(row.color, terminal.cut(line));
  out += '\n';
}

// Columns as wide as their data; 0: one that is left out, so that the command has room.
Widths widths_of(const std::vector<JobRow>& rows, const Terminal& terminal) {
  Widths widths{};
  std::size_t mark = 0;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < last_padded; ++i) widths[i] = std::max(widths[i], display_width(row.cells[i]));
    mark = std::max(mark, std::min(display_width(mark_of(row)), longest_usual_trouble));
  }
  if (!terminal.width()) return widths;
  std::size_t needed = least_command + mark;
  for (std::size_t i = 0; i < last_padded; ++i) needed += widths[i] + gap;
  for (const Cell cell : droppable) {
    if (needed <= *terminal.width()) break;
    auto& width = widths.at(static_cast<std::size_t>(cell));
    needed -= std::exchange(width, 0) + gap;
  }
  return widths;
}

}  // namespace

std::string host_line(const HostView& host) {
  std::string line = fmt::format("\"{}\" [{} core{}]", printable(host.name), host.cores, host.cores == 1 ? "" : "s");
  line += " [load";
  for (const double load : host.load) line += fmt::format(" {:.2f}", load);
  if (!host.tasks.empty()) line += " " + host.tasks;
  line += fmt::format("] [mem {:.1f}%]", host.mem_percent);
  if (host.swap_percent) line += fmt::format(" [swap {:.1f}%]", *host.swap_percent);
  line += fmt::format(" [fds {}]", host.fds);
  for (const auto& disk : host.disks) line += fmt::format(" [{} {:.1f}%]", printable(disk.mount), disk.percent);
  return line;
}

std::string trouble_line(const std::string& trouble, const Terminal& terminal) {
  const std::string line = "! " + printable(trouble);
  return terminal.paint(Color::red, terminal.cut(line));
}

JobRow job_row(const JobView& job, double now) {
  JobRow row;
  row.trouble = trouble_words(job, now);
  row.color = color_of_job(job, row.trouble);
  const bool up = job.pid && job.started_at;
  row.cells = {printable(job.name),
               job.pid ? std::to_string(*job.pid) : "-",
               printable(job.group),
               status_words(job, now),
               job.cpu_percent ? percent_words(*job.cpu_percent) : "-",
               job.mem_bytes ? format_size(static_cast<std::uint64_t>(*job.mem_bytes)) : "-",
               up ? format_age(std::max(0.0, now - *job.started_at)) : "-",
               std::to_string(job.deaths),
               md5_words(job),
               command_words(job.cmd)};
  return row;
}

std::string job_table(const std::vector<JobView>& jobs, double now, const Terminal& terminal) {
  std::vector<JobRow> rows;
  rows.reserve(jobs.size() + 1);
  rows.emplace_back();
  std::copy(cell_titles.begin(), cell_titles.end(), rows.back().cells.begin());
  rows.back().color = Color::bold;
  for (const auto& job : jobs) rows.push_back(job_row(job, now));

  const Widths widths = widths_of(rows, terminal);
  std::string out;
  for (const auto& row : rows) append_line(out, row, widths, terminal);
  return out;
}

}  // namespace usvc
