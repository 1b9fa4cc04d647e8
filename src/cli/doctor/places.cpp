// Where the instance keeps its files: room, modes.
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <set>
#include <string>

#include "base/files.h"
#include "base/text.h"
#include "cli/doctor/checks.h"
#include "cli/doctor/judge.h"

namespace usvc::doctor {

namespace {

constexpr std::size_t most_modes = 5;

struct Network {
  std::uint32_t magic;  // statfs(2)
  const char* name;
};
constexpr std::array<Network, 4> networks{
    {{0x6969, "NFS"}, {0xFF534D42, "CIFS"}, {0xFE534D42, "SMB"}, {0x65735546, "FUSE"}}};

std::string network_of(const std::string& path) {
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return {};
  for (const auto& network : networks) {
    if (static_cast<std::uint32_t>(info.f_type) == network.magic) return network.name;
  }
  return {};
}

std::optional<Space> look_at_space(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return std::nullopt;
  return Space{.path = path,
               .total = std::uint64_t{info.f_blocks} * info.f_frsize,
               .free = std::uint64_t{info.f_bavail} * info.f_frsize,
               .inodes = info.f_files,
               .free_inodes = info.f_favail,
               .read_only = (info.f_flag & ST_RDONLY) != 0,
               .network = network_of(path)};
}

void check_mode(Owned file, std::vector<FindingView>& found) {
  struct stat info {};
  if (::stat(file.path.c_str(), &info) != 0) return;
  file.owner = info.st_uid;
  file.mode = info.st_mode;
  file.directory = S_ISDIR(info.st_mode);
  if (auto finding = judge_mode(file, ::geteuid())) found.push_back(std::move(*finding));
}

Findings check_modes(const Layout& layout) {
  Findings found;
  // With --home the home is also where sockets are, and the settings.
  const std::set<std::string> dirs = {layout.home,        layout.jobs_dir, layout.logs_dir, layout.old_logs_dir,
                                      layout.journal_dir, layout.work_dir, layout.run_dir};
  for (const auto& dir : dirs) check_mode({.path = dir, .home = dir == layout.home}, found);
  // Whoever can change them has their hooks run. They hold no secrets.
  const std::string settings_dir = directory_of(layout.settings);
  if (!dirs.contains(settings_dir)) check_mode({.path = settings_dir, .secret = false}, found);
  check_mode({.path = layout.settings, .secret = false}, found);
  // Where the directory is open, and for whoever copies them: environments hold passwords.
  if (const auto confs = list_dir(layout.jobs_dir)) {
    for (const auto& name : *confs) check_mode({.path = layout.jobs_dir + "/" + name}, found);
  }
  if (found.empty()) return {well("modes", "nobody else can read or change the instance's files")};
  if (found.size() > most_modes) {
    const std::size_t more = found.size() - most_modes;
    found.resize(most_modes);
    found.push_back(trouble("modes", fmt::format("{} more of its files have the wrong modes", more),
                            "chmod -R u+rwX,go-rwx " + shell_quote(layout.home)));
  }
  return found;
}

}  // namespace

Findings check_places(const Patient& patient) {
  const Layout& layout = patient.context->layout;
  struct stat info {};
  if (::stat(layout.home.c_str(), &info) != 0) return {well("disk", "there is no instance yet")};
  Findings findings;
  std::set<dev_t> seen;
  for (const auto* dir : {&layout.home, &layout.logs_dir, &layout.work_dir, &layout.run_dir}) {
    if (::stat(dir->c_str(), &info) != 0 || !seen.insert(info.st_dev).second) continue;
    if (const auto space = look_at_space(*dir)) {
      findings.push_back(judge_space(*space, layout.logs_dir, layout.settings));
    }
  }
  for (auto& finding : check_modes(layout)) findings.push_back(std::move(finding));
  return findings;
}

}  // namespace usvc::doctor
