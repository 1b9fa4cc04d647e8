// A keeper that is there and does nothing.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "proc/process.h"

namespace usvc {

// Says so of one that has been stopped by a signal, and what to do.
inline std::optional<Error> keeper_trouble(pid_t keeper) {
  ProcessStat stat;
  std::string buffer;
  if (!read_stat(keeper, stat, buffer) || stat.state != 'T') return std::nullopt;
  const std::string pid = std::to_string(keeper);
  return Error("the keeper (pid " + pid + ") has been stopped by a signal").hint("kill -CONT " + pid);
}

}  // namespace usvc
