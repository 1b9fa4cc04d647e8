// Between fork and exec: straight-line code that allocates nothing, logs nothing and never returns to the keeper's
// loop.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/error.h"
#include "base/fd.h"

namespace usvc::keeper {

// Where a launch failed. What comes over the status socket before its end-of-file, if anything does.
enum class Step : std::int32_t {
  fork,
  card,
  session,
  terminal,
  stdio,
  directory,
  limits,
  exec,
};
const char* step_text(Step step);  // "change to the directory", as in "cannot …"

struct LaunchFailure {
  Step step = Step::fork;
  std::int32_t error = 0;  // errno
};

struct LaunchFds {
  FdRef card;
  FdRef status;  // the child's end
  FdRef input;
  FdRef output;
  FdRef error;
  int cgroup = -1;  // -1: stays in the keeper's
};

struct Child {
  pid_t pid = 0;
  Fd pidfd;
};

// The name (comm) a child bears until it has become its program; by it one that never did is told apart.
inline constexpr char launching_comm[] = "usvc-launching";

// Makes a child that waits on its status socket; see protocol.h. Needs clone3 with CLONE_PIDFD (Linux 5.3), with a
// cgroup CLONE_INTO_CGROUP (5.7).
Result<Child> launch(const LaunchFds& fds);

}  // namespace usvc::keeper
