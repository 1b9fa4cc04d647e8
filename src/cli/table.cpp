#include "cli/table.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "base/time.h"
#include "cli/words.h"

namespace usvc {

namespace {

constexpr std::size_t last_padded = cell_titles.size() - 1;
using Widths = std::array<std::size_t, cell_titles.size()>;

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
    line += row.cells[i];
    line.append(widths[i] - display_width(row.cells[i]) + 2, ' ');
  }
  line += row.cells[last_padded];
  if (!row.trouble.empty()) {
    const std::string mark = "   ! " + row.trouble;
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

  Widths widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < last_padded; ++i) widths[i] = std::max(widths[i], display_width(row.cells[i]));
  }
  std::string out;
  for (const auto& row : rows) append_line(out, row, widths, terminal);
  return out;
}

}  // namespace usvc
