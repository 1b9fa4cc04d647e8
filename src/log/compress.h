// Old logs as zstd files that zstdcat reads, and that can be read from their middle: frames of their own for each MiB,
// each with its content's size and a checksum.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace usvc {

inline constexpr std::size_t frame_content = std::size_t{1} << 20U;

// Writes `target` (mode 0600, on the disk when this returns, with the source's modification time); 3 MiB of memory.
// `stop` ends it early, with ECANCELED.
Status compress_file(const std::string& source, const std::string& target, const std::atomic<bool>& stop);

}  // namespace usvc
