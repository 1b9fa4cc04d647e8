#include "proc/orphan.h"

#include <sys/ioctl.h>

#include <string>

#include "proc/process.h"

namespace usvc {

namespace {

// The kernel's struct pidfd_info as first published, which headers older than Linux 6.13 lack. Newer kernels fill as
// much of theirs as the size in the request number allows.
struct PidfdInfo {
  std::uint64_t mask;
  std::uint64_t cgroup_id;
  std::uint32_t pid, tgid, ppid;
  std::uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  std::int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64, "PIDFD_INFO_SIZE_VER0");

constexpr std::uint64_t info_exit = 1U << 3U;
constexpr unsigned long get_info = _IOWR(0xFF, 11, PidfdInfo);  // NOLINT(cppcoreguidelines-pro-type-cstyle-cast)

}  // namespace

std::optional<int> exit_status_from_pidfd(FdRef pidfd) {
  PidfdInfo info{};
  info.mask = info_exit;
  if (::ioctl(pidfd.get(), get_info, &info) != 0 || (info.mask & info_exit) == 0) return std::nullopt;
  return info.exit_code;
}

std::optional<int> zombie_exit_status(pid_t pid, std::uint64_t start_ticks) {
  ProcessStat stat;
  std::string buffer;
  if (!read_stat(pid, stat, buffer) || stat.start_ticks != start_ticks || !is_dead(stat)) return std::nullopt;
  if (stat.exit_code < 0) return std::nullopt;
  return stat.exit_code;
}

}  // namespace usvc
