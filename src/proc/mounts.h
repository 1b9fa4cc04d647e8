// The mount table of this process, /proc/self/mountinfo.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace usvc {

struct Mount {
  int id = 0;
  int parent = 0;      // the mount this one sits on
  std::string device;  // "259:1"
  std::string root;    // what part of the filesystem is mounted
  std::string point;
  std::string type;
  std::string source;
  std::string options;  // of the filesystem: "rw,max=64"
};

// Lines that are none are left out.
std::vector<Mount> parse_mounts(std::string_view text);
std::vector<Mount> read_mounts();

// Whether looking up the mount point ends at this mount and asks no filesystem on the way that may hang (network, FUSE,
// automount). The root is not asked about: where it hangs, nothing runs.
bool safe_to_reach(const Mount& mount, const std::vector<Mount>& all);

}  // namespace usvc
