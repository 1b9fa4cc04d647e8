// The machine: what the first line of `status` tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proc/mounts.h"

namespace usvc {

struct Load {
  double one = 0;
  double five = 0;
  double fifteen = 0;
  unsigned running = 0;
  unsigned total = 0;
};

struct Memory {
  double used_percent = 0;             // what could not be given to a new program
  std::optional<double> swap_percent;  // nothing: no swap
};

struct Disk {
  std::string mount;
  double percent = 0;
};

struct Host {
  std::string name;
  unsigned cores = 0;
  Load load;
  double mem_percent = 0;
  std::optional<double> swap_percent;
  std::uint64_t fds = 0;
  std::vector<Disk> disks;
};

// /proc/loadavg
std::optional<Load> parse_load(std::string_view text);
// /proc/meminfo
std::optional<Memory> parse_memory(std::string_view text);
// /proc/sys/fs/file-nr
std::optional<std::uint64_t> parse_file_nr(std::string_view text);
// The mount points worth showing: one, the shortest, for each local block device, at most 8, shortest first. Never one
// whose lookup could wait for a network.
std::vector<std::string> disk_mounts(const std::vector<Mount>& mounts);

// Empty: it has none.
std::string host_name();
unsigned core_count();
// What cannot be read is left at zero or out.
Host read_host();

}  // namespace usvc
