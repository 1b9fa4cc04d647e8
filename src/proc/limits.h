// What the kernel still gives: descriptors to a process, terminals to everybody.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "job/limits.h"

namespace usvc {

struct DescriptorLimit {
  std::uint64_t soft = 0;  // "unlimited" is the largest number
  std::uint64_t hard = 0;
};

// The row "Max open files" of /proc/PID/limits.
std::optional<DescriptorLimit> parse_descriptor_limit(std::string_view limits);
std::optional<DescriptorLimit> read_descriptor_limit(pid_t pid);
// This process's, of every resource that has a name.
std::vector<Limit> own_limits();
// Whether a process that this one starts can have it: asked of the kernel by trying it, for a moment, on this thread
// (niceness) or process (a higher hard limit).
Status check_niceness(int niceness);
Status check_limit(const Limit& limit);
// How many the process has open; nothing when it is gone or not ours to look into.
std::optional<std::uint64_t> open_descriptors(pid_t pid);

struct Terminals {
  std::uint64_t used = 0;
  std::uint64_t most = 0;
  std::uint64_t reserved = 0;  // of these, for whoever is in no container
  bool of_mount = false;       // those of /dev/pts, not of the machine
};
// What is the scarcer here: the machine's, /proc/sys/kernel/pty, or what /dev/pts was mounted with (max=). Nothing
// where the kernel does not say.
std::optional<Terminals> read_terminals();
// Of /dev/pts as it is mounted with these options; nothing: it has no limit of its own.
std::optional<std::uint64_t> most_terminals(std::string_view options);

// The process runs code of a file that has been removed or replaced since, other than its program: a library that was
// upgraded. From /proc/PID/maps.
bool maps_replaced_library(std::string_view maps);
bool has_replaced_library(pid_t pid);

}  // namespace usvc
