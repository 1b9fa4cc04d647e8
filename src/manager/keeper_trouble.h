// A keeper that is there and does nothing.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "proc/process.h"

namespace usvc {

// Says so of one that has been stopped by a signal, or is known to be silent, and what to do.
inline std::optional<Error> keeper_trouble(pid_t keeper, bool silent) {
  ProcessStat stat;
  std::string buffer;
  const std::string pid = std::to_string(keeper);
  const bool there = read_stat(keeper, stat, buffer);
  if (there && stat.state == 'T') {
    return Error("the keeper (pid " + pid + ") has been stopped by a signal").hint("kill -CONT " + pid);
  }
  if (!there || !silent) return std::nullopt;
  return Error("the keeper (pid " + pid + ", " + kernel_state(stat.state, stat.flags) + ") does not answer")
      .hint("jobs run on; kill -9 " + pid + " has it replaced");
}

}  // namespace usvc
