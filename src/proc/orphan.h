// How a process ended that is not our child. waitid(2) is for parents; these two ask the kernel otherwise.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "base/fd.h"

namespace usvc {

// The wait status of a process that somebody else has reaped, from a pidfd opened before it died. Nothing while it
// still runs or is a zombie (poll tells: POLLIN when it exited, POLLHUP once reaped), and before Linux 6.15.
std::optional<int> exit_status_from_pidfd(FdRef pidfd);
// The wait status of a zombie, or nothing when it is none, is another process, or its status is hidden from us.
std::optional<int> zombie_exit_status(pid_t pid, std::uint64_t start_ticks);

}  // namespace usvc
