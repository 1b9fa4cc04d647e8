// One run of a job's program or hook: a process, its descriptors, and what has been seen of its end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/boxed_optional.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/transfer.h"
#include "job/exit_status.h"
#include "job/state.h"
#include "keeper/protocol.h"
#include "manager/keeper_link.h"
#include "proc/cgroup.h"
#include "proc/members.h"
#include "shapes/event.h"

namespace usvc {

struct RunEnd {
  ExitStatus status;
  double at = 0;              // seconds since 1970
  std::optional<double> cpu;  // seconds
  std::optional<std::int64_t> max_rss_bytes;
};

struct Run {
  std::string run_id;  // $USVC_RUN, the same for program and hooks
  Phase phase = Phase::main;
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  Fd pidfd;
  bool keeper_child = true;  // false after its keeper died: its end is seen through the pidfd alone
  bool terminal = true;
  Fd output;  // the terminal's master, or the pipe's read end
  Fd log;
  std::string program;  // where cmd is no path: the one that it was found to mean
  std::string log_path;
  Fd error_output;  // where stderr is kept apart
  Fd error_log;
  std::string error_log_path;
  Carry carry;  // its own, after a full disk
  std::optional<Cgroup> cgroup;
  RunMarks marks;
  std::vector<Member> tree;  // tree = subreaper: what descended from it when the stop began
  BoxedOptional<RunEnd> end;
  bool drained = false;

  // What the keeper calls it.
  [[nodiscard]] std::string item_id() const;
  [[nodiscard]] std::vector<Lent> held() const;
};

std::string item_id(const std::string& run_id, Phase phase);
// Of the cgroup that is this process's own, under the delegated one.
std::string cgroup_name(const std::string& run_id, Phase phase);
struct ItemName {
  std::string run_id;
  Phase phase = Phase::main;
};
ItemName parse_item_id(const std::string& id);

// The journal's line of the run's identity.
Event spawned_event(const std::string& job, const Run& run);

// To the main process alone; or to its whole process group.
Status signal_main(const Run& run, int signal);
Status signal_group(const Run& run, int signal);

// Fills marks.tty… or marks.pipes from the run's output descriptor.
void mark_output(Run& run);

RunEnd end_from(const keeper::Message& exit);

}  // namespace usvc
