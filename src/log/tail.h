// The end of a log, as text to be shown.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>

namespace usvc {

// The last `lines` lines of the file between `from` and `to` (none: its end), at most 64 KiB of them; empty when it
// can't be read.
std::string last_lines(const std::string& path, off_t from, std::size_t lines, std::optional<off_t> to = {});

}  // namespace usvc
