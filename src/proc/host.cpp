#include "proc/host.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "proc/scan.h"

namespace usvc {

namespace {

constexpr std::size_t most_disks = 8;

// The number behind "NAME:" in /proc/meminfo, in KiB.
std::optional<std::uint64_t> meminfo_value(std::string_view text, std::string_view name) {
  Words lines(text, '\n');
  while (!lines.at_end()) {
    std::string_view line = lines.next();
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    line = trim(line.substr(name.size() + 1));
    return whole_number<std::uint64_t>(line.substr(0, line.find(' ')));
  }
  return std::nullopt;
}

double used_percent(std::uint64_t total, std::uint64_t available) {
  if (total == 0) return 0;
  return 100.0 * static_cast<double>(total - std::min(total, available)) / static_cast<double>(total);
}

bool is_disk(const Mount& mount) {
  // A loop device shows a file of another disk, and these are full by nature.
  constexpr std::array<std::string_view, 4> not_disks{"squashfs", "overlay", "iso9660", "erofs"};
  return mount.source.starts_with("/dev/") && !mount.source.starts_with("/dev/loop") &&
         std::ranges::find(not_disks, mount.type) == not_disks.end();
}

std::vector<Disk> read_disks() {
  std::vector<Disk> disks;
  for (std::string& point : disk_mounts(read_mounts())) {
    struct statvfs info {};
    if (::statvfs(point.c_str(), &info) != 0) continue;
    // As df has it: what is kept back for root counts neither as used nor as free.
    const std::uint64_t used = info.f_blocks - info.f_bfree;
    const std::uint64_t usable = used + info.f_bavail;
    if (usable > 0) disks.push_back({std::move(point), used_percent(usable, info.f_bavail)});
  }
  return disks;
}

}  // namespace

std::optional<Load> parse_load(std::string_view text) {
  Words words(text);
  const auto one = whole_number<double>(words.next());
  const auto five = whole_number<double>(words.next());
  const auto fifteen = whole_number<double>(words.next());
  Words tasks(words.next(), '/');
  const auto running = whole_number<unsigned>(tasks.next());
  const auto total = whole_number<unsigned>(tasks.next());
  if (!one || !five || !fifteen || !running || !total) return std::nullopt;
  return Load{*one, *five, *fifteen, *running, *total};
}

std::optional<Memory> parse_memory(std::string_view text) {
  const auto total = meminfo_value(text, "MemTotal");
  const auto available = meminfo_value(text, "MemAvailable");
  if (!total || !available || *total == 0) return std::nullopt;
  Memory memory{used_percent(*total, *available), std::nullopt};
  const auto swap = meminfo_value(text, "SwapTotal");
  const auto swap_free = meminfo_value(text, "SwapFree");
  if (swap && swap_free && *swap > 0) memory.swap_percent = used_percent(*swap, *swap_free);
  return memory;
}

std::optional<std::uint64_t> parse_file_nr(std::string_view text) {
  return whole_number<std::uint64_t>(text.substr(0, text.find_first_of(" \t\n")));
}

std::vector<std::string> disk_mounts(const std::vector<Mount>& mounts) {
  std::vector<const Mount*> disks;
  for (const Mount& mount : mounts) {
    if (is_disk(mount) && safe_to_reach(mount, mounts)) disks.push_back(&mount);
  }
  std::ranges::sort(disks, [](const Mount* a, const Mount* b) {
    return std::pair(a->point.size(), a->point) < std::pair(b->point.size(), b->point);
  });
  std::vector<const Mount*> shown;
  for (const Mount* disk : disks) {
    // btrfs gives each subvolume a device number of its own, so the source counts too.
    const bool known = std::ranges::any_of(
        shown, [&](const Mount* other) { return other->device == disk->device || other->source == disk->source; });
    if (!known && shown.size() < most_disks) shown.push_back(disk);
  }
  std::vector<std::string> points;
  points.reserve(shown.size());
  for (const Mount* disk : shown) points.push_back(disk->point);
  return points;
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

unsigned core_count() {
  return static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

Host read_host() {
  Host host;
  std::string buffer;
  host.name = host_name();
  host.cores = core_count();
  if (read_small("/proc/loadavg", buffer)) host.load = parse_load(buffer).value_or(Load{});
  if (read_small("/proc/meminfo", buffer)) {
    const Memory memory = parse_memory(buffer).value_or(Memory{});
    host.mem_percent = memory.used_percent;
    host.swap_percent = memory.swap_percent;
  }
  if (read_small("/proc/sys/fs/file-nr", buffer)) host.fds = parse_file_nr(buffer).value_or(0);
  host.disks = read_disks();
  return host;
}

}  // namespace usvc
