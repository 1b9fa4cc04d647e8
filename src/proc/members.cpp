#include "proc/members.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string_view>

#include "base/files.h"
#include "base/text.h"
#include "proc/scan.h"

namespace usvc {

namespace {

constexpr unsigned long fixed_addresses = 0x0040000;  // ADDR_NO_RANDOMIZE of personality(2)

// stat(2) spreads a device number over 64 bits, field 7 of /proc/PID/stat has the kernel's older 32-bit layout.
int stat_encoding(dev_t device) {
  const unsigned major_part = major(device);
  const unsigned minor_part = minor(device);
  return static_cast<int>((minor_part & 0xFFU) | (major_part << 8U) | ((minor_part & ~0xFFU) << 12U));
}

// A pid stays taken as long as a session or group of that number has a member. So when another process has the main's
// pid now, the run's session and group are empty, and the members found are that process's.
bool main_was_replaced(const RunMarks& marks) {
  ProcessStat now;
  std::string buffer;
  return read_stat(marks.main, now, buffer) && now.start_ticks != marks.main_start_ticks;
}

bool in_session_or_group(const RunMarks& marks, const ProcessStat& stat) {
  if (marks.main <= 1 || stat.start_ticks < marks.main_start_ticks) return false;
  if (stat.session != marks.main && stat.pgrp != marks.main) return false;
  return !main_was_replaced(marks);
}

// Each container counts its terminals from 0, so the number alone says nothing about a process of another one.
bool on_terminal(const RunMarks& marks, pid_t pid, const ProcessStat& stat) {
  if (marks.tty == 0 || stat.tty_nr != stat_encoding(marks.tty)) return false;
  struct stat ours {};
  struct stat theirs {};
  return ::stat("/proc/self/ns/mnt", &ours) == 0 && ::stat(ProcPath(pid, "ns/mnt").c_str(), &theirs) == 0 &&
         ours.st_ino == theirs.st_ino;
}

bool is_pipe_of(const RunMarks& marks, std::string_view link) {
  constexpr std::string_view prefix = "pipe:[";
  if (!link.starts_with(prefix) || !link.ends_with(']')) return false;
  const auto inode = whole_number<ino_t>(link.substr(prefix.size(), link.size() - prefix.size() - 1));
  return inode && std::ranges::find(marks.pipes, *inode) != marks.pipes.end();
}

bool holds_descriptor(const RunMarks& marks, pid_t pid) {
  if (marks.pipes.empty() && marks.tty_path.empty()) return false;
  const std::string directory = ProcPath(pid, "fd").c_str();
  for (const pid_t number : numbered_entries(directory.c_str())) {
    const std::string entry = directory + '/' + std::to_string(number);
    const auto link = read_link(entry.c_str());
    if (!link) continue;
    if (is_pipe_of(marks, *link)) return true;
    // The name first: asking about a file on a dead network mount would hang.
    if (!marks.tty_path.empty() && *link == marks.tty_path && same_file(entry.c_str(), marks.tty_path.c_str())) {
      return true;
    }
  }
  return false;
}

bool bears_cheap_mark(const RunMarks& marks, pid_t pid, const ProcessStat& stat) {
  if (pid == marks.main && stat.start_ticks == marks.main_start_ticks) return true;
  return in_session_or_group(marks, stat) || on_terminal(marks, pid, stat);
}

// Whether a text stands in the process's heap. Needs the right to trace it.
bool heap_holds(pid_t pid, std::string_view text) {
  constexpr std::size_t most = std::size_t{16} << 20U;
  std::string maps;
  if (!read_small(ProcPath(pid, "maps").c_str(), maps)) return false;
  for (const std::string_view line : split(maps, '\n')) {
    if (!line.ends_with("[heap]")) continue;
    const auto dash = line.find('-');
    const auto from = parse_integer<std::uint64_t>(line.substr(0, dash), 16);
    const auto to = parse_integer<std::uint64_t>(line.substr(dash + 1, line.find(' ') - dash - 1), 16);
    if (!from || !to || *to <= *from) return false;
    std::string bytes(std::min<std::size_t>(*to - *from, most), '\0');
    const auto memory = open_file(ProcPath(pid, "mem").c_str(), O_RDONLY);
    if (!memory) return false;
    const ssize_t got = ::pread(memory->get(), bytes.data(), bytes.size(), static_cast<off_t>(*from));
    return got > 0 && std::string_view(bytes).substr(0, static_cast<std::size_t>(got)).contains(text);
  }
  return false;
}

bool bears_costly_mark(const RunMarks& marks, pid_t pid) {
  if (!marks.run_id.empty()) {
    const auto value = environ_value(pid, "USVC_RUN");
    if (value) return *value == marks.run_id;
  }
  if (marks.image != 0 && image_of(pid) == marks.image) return true;
  return holds_descriptor(marks, pid);
}

// For the keeper's own strays, which descend from some job of this instance: a program that writes its title over its
// environment (nginx does) keeps a copy of that where it keeps its data. Never asked of other processes: whoever has
// merely read the environment of one of ours holds the same text.
bool remembers_run(const RunMarks& marks, pid_t pid) {
  if (marks.run_id.empty() || environ_value(pid, "USVC_RUN")) return false;
  const std::string text = '\0' + ("USVC_RUN=" + marks.run_id) + '\0';
  return heap_holds(pid, text);
}

bool is_ours(pid_t pid) {
  struct stat info {};
  const uid_t self = ::geteuid();
  // Root's jobs change their user, and root may look at everyone.
  return self == 0 || (::stat(ProcPath(pid, "").c_str(), &info) == 0 && info.st_uid == self);
}

bool contains(const std::vector<pid_t>& sorted, pid_t pid) {
  return std::binary_search(sorted.begin(), sorted.end(), pid);
}

// Where children are looked up: a snapshot, or the kernel's own lists.
class Lineage {
 public:
  explicit Lineage(const Snapshot* snapshot) : snapshot_(snapshot) {}
  [[nodiscard]] std::vector<pid_t> children(pid_t pid) const {
    return snapshot_ != nullptr ? snapshot_->children(pid) : children_of(pid);
  }

 private:
  const Snapshot* snapshot_;
};

Member member(const ProcessStat& stat) {
  return {stat.pid, stat.start_ticks, stat.comm};
}

// Adds all descendants of the members in `found`. A child whose parent has died since belongs to the keeper by now.
void add_descendants(const Lineage& lineage, pid_t keeper, const std::vector<pid_t>& spared,
                     std::vector<Member>& found) {
  std::vector<pid_t> seen;
  seen.reserve(found.size());
  for (const Member& one : found) seen.push_back(one.pid);
  std::sort(seen.begin(), seen.end());
  ProcessStat stat;
  std::string buffer;
  for (std::size_t at = 0; at < found.size(); ++at) {
    const pid_t parent = found[at].pid;
    const std::uint64_t parent_start = found[at].start_ticks;
    for (const pid_t child : lineage.children(parent)) {
      const auto place = std::lower_bound(seen.begin(), seen.end(), child);
      if ((place != seen.end() && *place == child) || contains(spared, child)) continue;
      if (!read_stat(child, stat, buffer) || is_dead(stat) || stat.start_ticks < parent_start) continue;
      if (stat.ppid != parent && stat.ppid != keeper) continue;
      seen.insert(place, child);
      found.push_back(member(stat));
    }
  }
}

std::vector<Member> strays_by(const Lineage& lineage, pid_t keeper, const std::vector<pid_t>& known,
                              const RunMarks& marks) {
  std::vector<Member> found;
  ProcessStat stat;
  std::string buffer;
  for (const pid_t child : lineage.children(keeper)) {
    if (child == ::getpid() || contains(known, child) || !read_stat(child, stat, buffer)) continue;
    if (stat.ppid != keeper || is_dead(stat)) continue;
    if (!belongs(marks, child, stat) && !remembers_run(marks, child)) continue;
    found.push_back(member(stat));
  }
  add_descendants(lineage, keeper, known, found);
  return found;
}

// Asked once; again where it could not be read.
bool addresses_are_random() {
  static std::atomic<char> known = 0;
  std::string buffer;
  if (known == 0 && read_small("/proc/sys/kernel/randomize_va_space", buffer) && !buffer.empty()) known = buffer[0];
  return known != 0 && known != '0';
}

}  // namespace

std::uint64_t image_of(pid_t pid) {
  std::string buffer;
  if (!addresses_are_random()) return 0;
  if (!read_small(ProcPath(pid, "personality").c_str(), buffer)) return 0;
  unsigned long personality = 0;
  const std::string_view digits = trim(buffer);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), personality, 16);
  if (parsed.ec != std::errc() || (personality & fixed_addresses) != 0) return 0;
  if (!read_small(ProcPath(pid, "auxv").c_str(), buffer)) return 0;
  return std::hash<std::string>()(buffer);
}

bool belongs(const RunMarks& marks, pid_t pid, const ProcessStat& stat) {
  return bears_cheap_mark(marks, pid, stat) || bears_costly_mark(marks, pid);
}

std::vector<Member> strays_of(pid_t keeper, const std::vector<pid_t>& known, const RunMarks& marks) {
  if (kernel_lists_children()) return strays_by(Lineage(nullptr), keeper, known, marks);
  return strays_of(Snapshot::take(), keeper, known, marks);
}

std::vector<Member> strays_of(const Snapshot& snapshot, pid_t keeper, const std::vector<pid_t>& known,
                              const RunMarks& marks) {
  return strays_by(Lineage(&snapshot), keeper, known, marks);
}

std::vector<Member> all_members(const RunMarks& marks, const std::vector<pid_t>& spared) {
  const Snapshot snapshot = Snapshot::take();
  std::vector<Member> found;
  ProcessStat stat;
  std::string buffer;
  for (const Snapshot::Process& process : snapshot.processes()) {
    const pid_t pid = process.pid;
    if (pid <= 1 || pid == ::getpid() || contains(spared, pid)) continue;
    if (!read_stat(pid, stat, buffer) || is_dead(stat)) continue;
    if (bears_cheap_mark(marks, pid, stat) || (is_ours(pid) && bears_costly_mark(marks, pid))) {
      found.push_back(member(stat));
    }
  }
  std::vector<pid_t> left_out = spared;
  left_out.insert(std::lower_bound(left_out.begin(), left_out.end(), ::getpid()), ::getpid());
  add_descendants(Lineage(&snapshot), 1, left_out, found);
  return found;
}

std::vector<Member> unknown_strays(pid_t keeper, const std::vector<pid_t>& known) {
  std::vector<Member> found;
  ProcessStat stat;
  std::string buffer;
  for (const pid_t child : children_of(keeper)) {
    if (child == ::getpid() || contains(known, child) || !read_stat(child, stat, buffer)) continue;
    if (stat.ppid == keeper && !is_dead(stat)) found.push_back(member(stat));
  }
  return found;
}

}  // namespace usvc
