// How the processes of a job's run are found where the job has no cgroup.
//
// The cheap marks are asked first: the session and process group the main process leads, its controlling terminal. A
// child that forked twice and called setsid has lost those, but still carries the environment it was started with
// (USVC_RUN). One that wrote over that (nginx, redis and others put their title there) is still a fork of the same
// program image, whose addresses the kernel chose at random at exec, or holds the terminal or a pipe of the run.
// Lineage closes the rest: what descends from a member is one.
//
// Every answer is a hint by the time it is read. To act on a Member: open a pidfd, compare the start time again,
// signal.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "proc/process.h"
#include "proc/tree.h"

namespace usvc {

struct RunMarks {
  pid_t main = 0;
  std::uint64_t main_start_ticks = 0;
  std::string run_id;        // the value of USVC_RUN; empty: not looked at
  dev_t tty = 0;             // st_rdev of the run's terminal, 0: none
  std::vector<ino_t> pipes;  // of its output and input
  std::string tty_path;      // /dev/pts/N
  std::uint64_t image = 0;   // image_of(main) once it runs its program; 0: not looked at
};

struct Member {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string comm;
  bool operator==(const Member&) const = default;
};

// What an exec gives a process and a fork passes on: the addresses of its image. Two processes with the same one are
// the same program, one forked from the other. Read it after the exec: until then a child has its parent's. 0 when the
// process is gone or hidden, or where addresses are not randomized and say nothing.
std::uint64_t image_of(pid_t pid);

// Whether this process, whose stat is given, bears a mark of the run. Lineage is not asked.
bool belongs(const RunMarks& marks, pid_t pid, const ProcessStat& stat);

// The keeper's direct children that are not in `known` (sorted: main processes, the manager) and that belong, with all
// their descendants. The second form shares one snapshot between many runs.
std::vector<Member> strays_of(pid_t keeper, const std::vector<pid_t>& known, const RunMarks& marks);
std::vector<Member> strays_of(const Snapshot& snapshot, pid_t keeper, const std::vector<pid_t>& known,
                              const RunMarks& marks);

// Every process that bears a mark of the run, with all their descendants, whoever their parent is: for when the keeper
// and with it the lineage was lost. Expensive: reads all of /proc, and environments and descriptors of our own
// processes. `spared` (sorted) and the caller are never among them: keeper, manager and viewers may hold the run's
// terminal and pipes.
std::vector<Member> all_members(const RunMarks& marks, const std::vector<pid_t>& spared);

// The keeper's direct children that are not in `known` (sorted) and not dead.
std::vector<Member> unknown_strays(pid_t keeper, const std::vector<pid_t>& known);

}  // namespace usvc
