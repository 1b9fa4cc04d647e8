// The end of a plain file that grows: what usvc's own processes write. Logs of jobs are read by log/history.h.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "base/error.h"

namespace usvc {

// The bytes of `path` from `from` on, at most the last `limit`. No such file: empty.
Result<std::string> read_range(const std::string& path, off_t from, std::size_t limit);

}  // namespace usvc
