// One process as /proc shows it, and who it is: a bare pid is reused, a pid with its start time and boot is not.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace usvc {

struct ProcessStat {
  pid_t pid = 0;
  pid_t ppid = 0;
  pid_t pgrp = 0;
  pid_t session = 0;
  int tty_nr = 0;  // the controlling terminal's device number, 0: none
  char state = '?';
  std::string comm;
  std::uint64_t utime_ticks = 0;
  std::uint64_t stime_ticks = 0;
  std::uint64_t start_ticks = 0;  // since boot
  std::uint64_t rss_bytes = 0;
  unsigned flags = 0;    // the kernel's PF_ bits
  unsigned threads = 0;  // those still alive
  int exit_code = -1;    // a zombie's wait status; -1 when the kernel hides it or the process still lives
};

// One line of /proc/PID/stat. False for anything that is not one, and then `out` holds nothing of use.
bool parse_stat(std::string_view line, ProcessStat& out);
// The process's stat through the caller's buffer; false when it is gone.
bool read_stat(pid_t pid, ProcessStat& out, std::string& buffer);

// Dead, whether or not somebody has reaped it. A main thread that ended before its others shows as a zombie, and lives.
inline bool is_dead(const ProcessStat& stat) {
  return stat.state == 'X' || stat.state == 'x' || (stat.state == 'Z' && stat.threads <= 1);
}

// A variable of the environment the process was started with; nothing when it is not there or not ours to read.
std::optional<std::string> environ_value(pid_t pid, std::string_view name);
// The arguments, each followed by a NUL; empty for zombies and kernel threads.
std::optional<std::string> read_cmdline(pid_t pid);

// This boot's id; empty where the kernel tells none.
const std::string& boot_id();
// Ticks a second, the unit of every *_ticks here.
std::uint64_t clock_ticks();
// Seconds since boot, the clock that processes' start times are counted in.
double uptime();
// How many seconds ago a process of this boot began; never negative.
double age_of(std::uint64_t start_ticks);

struct Identity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string boot_id;
  bool operator==(const Identity&) const = default;
};

// Who has this pid now; nothing when nobody has.
std::optional<Identity> identify(pid_t pid);
// This very process exists, in this boot, and is not a zombie.
bool alive(const Identity& identity);

// Of a file with a pid, if that is still a living process of this name: the file may be older than this boot, the
// number somebody else's by now.
std::optional<ProcessStat> last_process(const std::string& pid_file, std::string_view comm);

// Whether a living process has one of these names; nothing where /proc hides those of other users.
std::optional<bool> runs_any_of(std::span<const std::string_view> names);

// The word for a stat state: running, asleep, asleep* (uninterruptible), traced, zombie, paging.
std::string kernel_state(char state, unsigned flags);

}  // namespace usvc
