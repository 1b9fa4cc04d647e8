#include "proc/process.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <limits>

#include "base/files.h"
#include "base/text.h"
#include "proc/scan.h"

namespace usvc {

namespace {

// Set while a process is made to free memory before it gets any (PF_MEMALLOC, the same bit since Linux 2.6).
constexpr unsigned flag_reclaiming = 0x800;

std::uint64_t page_size() {
  static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

template <class T>
bool take(Words& words, T& out) {
  const auto number = whole_number<T>(words.next());
  if (number) out = *number;
  return number.has_value();
}

// Everything from the state on; the numbers are those of proc(5).
bool parse_fields(Words words, ProcessStat& out) {
  const std::string_view state = words.next();  // 3
  if (state.size() != 1) return false;
  out.state = state[0];
  if (!take(words, out.ppid) || !take(words, out.pgrp) || !take(words, out.session) || !take(words, out.tty_nr)) {
    return false;
  }
  words.skip(1);
  if (!take(words, out.flags)) return false;  // 9
  words.skip(4);
  if (!take(words, out.utime_ticks) || !take(words, out.stime_ticks)) return false;  // 14, 15
  words.skip(4);
  if (!take(words, out.threads)) return false;  // 20
  words.skip(1);
  if (!take(words, out.start_ticks)) return false;  // 22
  words.skip(1);
  std::uint64_t pages = 0;
  if (!take(words, pages) || pages > std::numeric_limits<std::uint64_t>::max() / page_size()) return false;  // 24
  out.rss_bytes = pages * page_size();
  words.skip(27);
  if (!take(words, out.exit_code) || !is_dead(out)) out.exit_code = -1;  // 52
  return true;
}

// The kernel writes 0 for an exit code it will not tell, and guards the link to the program in the same way.
bool may_inspect(pid_t pid) {
  return read_link(ProcPath(pid, "exe").c_str()) || errno == ENOENT;
}

}  // namespace

bool parse_stat(std::string_view line, ProcessStat& out) {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  // The name may hold anything, the fields behind it no parenthesis: so the last one ends the name.
  const std::size_t open = line.find(" (");
  const std::size_t close = line.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) return false;
  const auto pid = whole_number<pid_t>(line.substr(0, open));
  if (!pid || *pid <= 0) return false;
  out.pid = *pid;
  out.comm.assign(line.substr(open + 2, close - open - 2));
  return parse_fields(Words(line.substr(close + 2)), out);
}

bool read_stat(pid_t pid, ProcessStat& out, std::string& buffer) {
  if (pid <= 0 || !read_small(ProcPath(pid, "stat").c_str(), buffer) || !parse_stat(buffer, out)) return false;
  if (out.exit_code == 0 && !may_inspect(pid)) out.exit_code = -1;
  return true;
}

std::optional<std::string> environ_value(pid_t pid, std::string_view name) {
  std::string buffer;
  if (!read_small(ProcPath(pid, "environ").c_str(), buffer)) return std::nullopt;
  Words entries(buffer, '\0');
  while (!entries.at_end()) {
    const std::string_view entry = entries.next();
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
      return std::string(entry.substr(name.size() + 1));
    }
  }
  return std::nullopt;
}

std::optional<std::string> read_cmdline(pid_t pid) {
  std::string buffer;
  if (!read_small(ProcPath(pid, "cmdline").c_str(), buffer)) return std::nullopt;
  return buffer;
}

const std::string& boot_id() {
  static const std::string id = [] {
    std::string buffer;
    if (!read_small("/proc/sys/kernel/random/boot_id", buffer)) return std::string();
    return std::string(trim(buffer));
  }();
  return id;
}

std::uint64_t clock_ticks() {
  static const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return ticks;
}

double uptime() {
  timespec now{};
  if (::clock_gettime(CLOCK_BOOTTIME, &now) != 0) return 0;
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double age_of(std::uint64_t start_ticks) {
  return std::max(0.0, uptime() - static_cast<double>(start_ticks) / static_cast<double>(clock_ticks()));
}

std::optional<Identity> identify(pid_t pid) {
  ProcessStat stat;
  std::string buffer;
  if (!read_stat(pid, stat, buffer)) return std::nullopt;
  return Identity{pid, stat.start_ticks, boot_id()};
}

bool alive(const Identity& identity) {
  ProcessStat stat;
  std::string buffer;
  return identity.boot_id == boot_id() && read_stat(identity.pid, stat, buffer) &&
         stat.start_ticks == identity.start_ticks && !is_dead(stat);
}

std::optional<ProcessStat> last_process(const std::string& pid_file, std::string_view comm) {
  std::string text;
  if (!read_small(pid_file.c_str(), text)) return std::nullopt;
  const auto pid = parse_number(trim(text));
  ProcessStat stat;
  if (!pid || !read_stat(static_cast<pid_t>(*pid), stat, text) || stat.comm != comm || is_dead(stat)) {
    return std::nullopt;
  }
  return stat;
}

std::optional<bool> runs_any_of(std::span<const std::string_view> names) {
  std::string buffer;
  ProcessStat stat;
  if (!read_stat(1, stat, buffer)) return std::nullopt;
  for (const pid_t pid : numbered_entries("/proc")) {
    if (!read_stat(pid, stat, buffer) || is_dead(stat)) continue;
    if (std::find(names.begin(), names.end(), stat.comm) != names.end()) return true;
  }
  return false;
}

std::string kernel_state(char state, unsigned flags) {
  switch (state) {
    case 'R':
      return "running";
    case 'D':
      // State W is gone since Linux 2.6; who waits for memory to be freed now is D with this bit.
      return (flags & flag_reclaiming) != 0 ? "paging" : "asleep*";
    case 'T':
    case 't':
      return "traced";
    case 'Z':
    case 'X':
    case 'x':
      return "zombie";
    case 'W':
      return "paging";
    default:
      return "asleep";  // S, I, and what newer kernels split off from them
  }
}

}  // namespace usvc
