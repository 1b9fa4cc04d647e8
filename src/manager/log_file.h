// A job's live log as a file: opened, and where in the log's endless stream of bytes it stands.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "job/layout.h"

namespace usvc {

// Opens or makes it, without O_APPEND (splice(2) refuses that), standing at its end. Only a plain file.
Result<Fd> open_log(const std::string& path);

// 0 where there is none.
std::uint64_t log_size(const std::string& path);

// Positions as log/index.h has them: of the first byte of a live log, going by the files rotated before; and of what
// will be written next.
std::uint64_t begin_position(const Layout& layout, const std::string& log);
std::uint64_t end_position(const Layout& layout, const std::string& log);

}  // namespace usvc
