// Who descends from whom. Processes come and go while /proc is read, so every answer here is a hint: check the start
// time again, through a pidfd, before acting on a pid.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace usvc {

// The live and zombie children of all the process's threads, sorted. Reads one small file per thread where the kernel
// has CONFIG_PROC_CHILDREN, all of /proc where it has not: for many processes take a Snapshot.
std::vector<pid_t> children_of(pid_t pid);
// What the kernel's lists tell, by looking until nothing that one look told is missing in the next: where the child
// told last is reaped while the list is read, the kernel passes over the one behind it. Sorted.
std::vector<pid_t> settled_children(const std::function<std::vector<pid_t>()>& look);
// Whether this kernel lists children itself.
bool kernel_lists_children();

struct Usage {
  std::uint64_t rss_bytes = 0;
  std::uint64_t cpu_ticks = 0;  // of those alive; not of children that ended
  unsigned processes = 0;
};

// All processes in one pass over /proc.
class Snapshot {
 public:
  struct Process {
    pid_t pid = 0;
    pid_t ppid = 0;
    pid_t pgrp = 0;
    pid_t session = 0;
    int tty_nr = 0;
    char state = '?';
    std::uint64_t rss_bytes = 0;
    std::uint64_t cpu_ticks = 0;
    std::uint64_t start_ticks = 0;
  };

  static Snapshot take();
  // For tests: the same from a list.
  explicit Snapshot(std::vector<Process> processes);

  [[nodiscard]] const std::vector<Process>& processes() const { return processes_; }  // sorted by pid
  [[nodiscard]] const Process* find(pid_t pid) const;
  [[nodiscard]] std::vector<pid_t> children(pid_t pid) const;     // sorted
  [[nodiscard]] std::vector<pid_t> descendants(pid_t pid) const;  // without pid itself; sorted
  // The process, the session it leads, and the descendants of all of them, each once.
  [[nodiscard]] std::vector<const Process*> members_of(pid_t pid) const;
  // What these use.
  [[nodiscard]] Usage usage_of(pid_t pid) const;

 private:
  using Index = std::uint32_t;
  struct Range {
    const Index* first;
    const Index* last;
    [[nodiscard]] const Index* begin() const { return first; }
    [[nodiscard]] const Index* end() const { return last; }
  };
  [[nodiscard]] Range with_parent(pid_t ppid) const;
  [[nodiscard]] Range with_session(pid_t session) const;
  void spread(std::vector<Index>& found, std::vector<bool>& seen) const;

  std::vector<Process> processes_;
  std::vector<Index> by_parent_;   // indices into processes_, sorted by (ppid, pid)
  std::vector<Index> by_session_;  // the same by (session, pid)
};

}  // namespace usvc
