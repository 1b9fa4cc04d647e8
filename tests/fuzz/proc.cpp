// Files of /proc, torn or strange: parsed or refused.
#include <algorithm>

#include "fuzz.h"
#include "proc/cgroup.h"
#include "proc/host.h"
#include "proc/mounts.h"
#include "proc/process.h"

namespace {

using namespace usvc;
using fuzz::must;

void check_stat(std::string_view text) {
  ProcessStat stat;
  if (!parse_stat(text, stat)) return;
  must(stat.pid > 0, "a process has a pid");
  must(text.find(stat.comm) != std::string_view::npos, "the name is from the line", stat.comm);
  must(is_dead(stat) || stat.exit_code == -1, "only the dead have an exit code");
  must(!kernel_state(stat.state, stat.flags).empty(), "each state has a word");
}

void check_mounts(std::string_view text) {
  const auto mounts = parse_mounts(text);
  for (const auto& mount : mounts) {
    must(mount.point.starts_with('/') && !mount.type.empty(), "a mount has a point and a type");
    (void)safe_to_reach(mount, mounts);
  }
  const auto disks = disk_mounts(mounts);
  must(disks.size() <= 8, "at most eight disks are shown");
  for (const auto& disk : disks) {
    must(std::ranges::find(mounts, disk, &Mount::point) != mounts.end(), "a disk is a mount", disk);
  }
  const auto newline = std::min(text.find('\n'), text.size());
  if (const auto path = own_cgroup_path(text.substr(0, newline), mounts))
    must(path->starts_with('/'), "an absolute path");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_stat(text);
  check_mounts(text);
  if (const auto memory = parse_memory(text)) {
    must(memory->used_percent >= 0 && memory->used_percent <= 100, "memory used is a percentage");
    must(!memory->swap_percent || (*memory->swap_percent >= 0 && *memory->swap_percent <= 100), "and so is swap");
  }
  (void)parse_load(text);
  (void)parse_file_nr(text);
  return 0;
}
