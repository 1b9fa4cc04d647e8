// Telling a child that the keeper has just made from a process that a job has left behind.
#pragma once

#include <string>

#include "keeper/launch.h"
#include "log/source.h"
#include "proc/members.h"

namespace usvc {

// Made by the keeper and not its program yet. By its name, which a job can give itself as well, and by the program that
// it still executes: the keeper's.
inline bool is_being_launched(const Member& member, pid_t keeper) {
  if (member.comm != keeper::launching_comm && member.comm != "usvc-keeper") return false;
  const auto program = which_file("/proc/" + std::to_string(member.pid) + "/exe");
  // One that can't be looked at (it has just ended, mostly) is met again at the next look.
  return !program || program == which_file("/proc/" + std::to_string(keeper) + "/exe");
}

}  // namespace usvc
