// A control group (version 2) of a job's own: the one exact way to know and end a process tree.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "proc/mounts.h"

namespace usvc {

// The directory in which this instance may make cgroups, or nothing. `wished` is the value of USVC_CGROUP (may be
// null): when set, it alone is looked at, and must be a writable directory of a cgroup2 filesystem. Otherwise our own
// cgroup is taken when it was delegated to us: owned by our uid and that is not root's, or marked so by its manager
// (user.delegate, trusted.delegate). Both want cgroup.kill (Linux 5.14).
std::optional<std::string> delegated_cgroup(const char* wished);

// The path of our own cgroup, from the texts of /proc/self/cgroup and the mount table; nothing without a version 2 one.
std::optional<std::string> own_cgroup_path(std::string_view proc_self_cgroup, const std::vector<Mount>& mounts);

class Cgroup {
 public:
  // Makes PARENT/NAME. One that is there already is an error (code EEXIST).
  static Result<Cgroup> create(const std::string& parent, const std::string& name);
  // One made before, by an earlier manager.
  static Result<Cgroup> open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  // For clone3(CLONE_INTO_CGROUP).
  [[nodiscard]] FdRef directory() const { return directory_; }
  // Moves a process, with all its threads, into this cgroup.
  Status add(pid_t pid) const;
  // Sends SIGKILL to everything in it, forks in flight included. Returns before they are gone: events_fd() tells.
  Status kill() const;
  // Whether a live process is in it or below; zombies are not. False when the cgroup is gone.
  [[nodiscard]] bool populated() const;
  // All processes in it and below it, sorted.
  [[nodiscard]] std::vector<pid_t> pids() const;
  // Removes it with the cgroups below; fails (EBUSY) while a process lives in one. What is gone already is fine.
  Status remove() const;
  // cgroup.events: poll for POLLPRI, which also comes at once until it has been read.
  [[nodiscard]] Result<Fd> events_fd() const;

 private:
  Cgroup(std::string path, Fd directory) : path_(std::move(path)), directory_(std::move(directory)) {}
  Status write(const char* file, std::string_view text) const;

  std::string path_;
  Fd directory_;
};

}  // namespace usvc
