#include "proc/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/files.h"
#include "proc/scan.h"

namespace usvc {

namespace {

bool on_cgroup2(const std::string& path) {
  struct statfs info {};
  return ::statfs(path.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

bool may_fill(const std::string& path) {
  const std::string processes = path + "/cgroup.procs";
  // Moving a process needs this file of the directory both its old and its new place are below.
  return ::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0 &&
         ::faccessat(AT_FDCWD, processes.c_str(), W_OK, AT_EACCESS) == 0;
}

// The root of the hierarchy cannot be killed and so never has the file; it lacks cgroup.type as well.
bool can_kill(const std::string& path) {
  return ::access((path + "/cgroup.kill").c_str(), F_OK) == 0 || ::access((path + "/cgroup.type").c_str(), F_OK) != 0;
}

bool says_one(const std::string& path, const char* attribute) {
  char value = 0;
  return ::getxattr(path.c_str(), attribute, &value, 1) == 1 && value == '1';
}

bool was_delegated(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return false;
  if (info.st_uid != 0 && info.st_uid == ::geteuid()) return true;
  return says_one(path, "user.delegate") || says_one(path, "trusted.delegate");
}

// The directories below, without symbolic links, of which cgroupfs has none.
std::vector<std::string> cgroups_below(const std::string& path) {
  std::vector<std::string> found;
  const auto names = list_dir(path);
  if (!names) return found;
  for (const std::string& name : *names) {
    struct stat info {};
    std::string below = path;
    below.append("/").append(name);
    if (::lstat(below.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) found.push_back(std::move(below));
  }
  return found;
}

// The cgroup and everything below, parents first.
std::vector<std::string> with_all_below(const std::string& path) {
  std::vector<std::string> all{path};
  for (std::size_t at = 0; at < all.size(); ++at) {
    for (std::string& below : cgroups_below(all[at])) all.push_back(std::move(below));
  }
  return all;
}

}  // namespace

std::optional<std::string> own_cgroup_path(std::string_view proc_self_cgroup, const std::vector<Mount>& mounts) {
  constexpr std::string_view version_2 = "0::";
  std::string_view own;
  Words lines(proc_self_cgroup, '\n');
  while (!lines.at_end() && own.empty()) {
    const std::string_view line = lines.next();
    if (line.starts_with(version_2)) own = line.substr(version_2.size());
  }
  // Outside of our cgroup namespace ("/..") there is no way to it.
  if (!own.starts_with('/') || own.starts_with("/..")) return std::nullopt;
  for (const Mount& mount : mounts) {
    if (mount.type != "cgroup2") continue;
    const std::string_view root = mount.root == "/" ? std::string_view() : std::string_view(mount.root);
    if (!own.starts_with(root)) continue;
    const std::string_view rest = own.substr(root.size());
    if (rest.empty() || rest == "/") return mount.point;
    if (rest[0] == '/') return mount.point + std::string(rest);
  }
  return std::nullopt;
}

std::optional<std::string> delegated_cgroup(const char* wished) {
  std::optional<std::string> path;
  if (wished != nullptr && *wished != '\0') {
    path = wished;
    if (path->front() != '/') return std::nullopt;
  } else {
    std::string text;
    if (!read_small("/proc/self/cgroup", text)) return std::nullopt;
    path = own_cgroup_path(text, read_mounts());
    if (!path || !was_delegated(*path)) return std::nullopt;
  }
  if (!on_cgroup2(*path) || !may_fill(*path) || !can_kill(*path)) return std::nullopt;
  return path;
}

Result<Cgroup> Cgroup::create(const std::string& parent, const std::string& name) {
  std::string path = parent + '/' + name;
  if (::mkdir(path.c_str(), 0755) != 0) return fail(Error::last("cannot make the cgroup " + path));
  auto made = open(path);
  if (!made) (void)::rmdir(path.c_str());
  return made;
}

Result<Cgroup> Cgroup::open(const std::string& path) {
  auto directory = open_file(path, O_RDONLY | O_DIRECTORY);
  if (!directory) return pass(directory);
  if (::faccessat(directory->get(), "cgroup.kill", W_OK, AT_EACCESS) != 0) {
    return fail(Error::last("cannot use the cgroup " + path + ": cgroup.kill"));
  }
  return Cgroup(path, std::move(*directory));
}

Status Cgroup::write(const char* file, std::string_view text) const {
  const Fd control(::openat(directory_.get(), file, O_WRONLY | O_CLOEXEC));
  // One write is one command to the kernel.
  if (!control || ::write(control.get(), text.data(), text.size()) < 0) {
    return fail(Error::last("cannot write " + path_ + '/' + file));
  }
  return {};
}

Status Cgroup::add(pid_t pid) const {
  return write("cgroup.procs", std::to_string(pid));
}

Status Cgroup::kill() const {
  return write("cgroup.kill", "1");
}

bool Cgroup::populated() const {
  std::string text;
  if (!read_small((path_ + "/cgroup.events").c_str(), text)) return false;
  Words lines(text, '\n');
  while (!lines.at_end()) {
    if (lines.next() == "populated 1") return true;
  }
  return false;
}

std::vector<pid_t> Cgroup::pids() const {
  std::vector<pid_t> found;
  std::string text;
  for (const std::string& path : with_all_below(path_)) {
    if (!read_small((path + "/cgroup.procs").c_str(), text)) continue;
    Words lines(text, '\n');
    while (!lines.at_end()) {
      // 0 stands for a process our pid namespace cannot name.
      if (const auto pid = whole_number<pid_t>(lines.next()); pid && *pid > 0) found.push_back(*pid);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

Status Cgroup::remove() const {
  const std::vector<std::string> all = with_all_below(path_);
  for (auto path = all.rbegin(); path != all.rend(); ++path) {
    if (::rmdir(path->c_str()) != 0 && errno != ENOENT) return fail(Error::last("cannot remove the cgroup " + *path));
  }
  return {};
}

Result<Fd> Cgroup::events_fd() const {
  Fd events(::openat(directory_.get(), "cgroup.events", O_RDONLY | O_CLOEXEC));
  if (!events) return fail(Error::last("cannot open " + path_ + "/cgroup.events"));
  return events;
}

}  // namespace usvc
