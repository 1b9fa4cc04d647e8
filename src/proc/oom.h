// Who was ended by the kernel for want of memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace usvc {

// How many processes the kernel has ended so, of the whole machine since it was booted; nothing where it does not count
// (/proc/vmstat, Linux 4.13).
std::optional<std::uint64_t> oom_kills();
// The same of one cgroup; nothing where memory is not counted for it (memory.events of version 2).
std::optional<std::uint64_t> oom_kills_in(const std::string& cgroup);

// The number in the line "oom_kill NUMBER".
std::optional<std::uint64_t> oom_kill_count(std::string_view text);

}  // namespace usvc
