#include "cli/cgroup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace usvc::test {

namespace fs = std::filesystem;

namespace {

std::string cgroup2_mount() {
  std::ifstream mounts("/proc/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device;
    std::string where;
    std::string kind;
    words >> device >> where >> kind;
    if (kind == "cgroup2") return where;
  }
  return {};
}

// Directories are removed one by one, the deepest first; the files in them cannot be.
void remove_below(const fs::path& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.is_directory(error)) remove_below(entry.path());
  }
  rmdir(directory.c_str());
}

}  // namespace

OwnCgroup::OwnCgroup(const std::string& name) {
  const std::string mount = cgroup2_mount();
  if (mount.empty()) {
    why_not_ = "no cgroup2 hierarchy is mounted";
    return;
  }
  const std::string wanted = mount + "/" + name;
  if (mkdir(wanted.c_str(), 0755) < 0) {
    why_not_ = "cannot make " + wanted + ": " + strerror(errno);
    return;
  }
  path_ = wanted;
}

OwnCgroup::~OwnCgroup() {
  (void)remove();
}

bool OwnCgroup::remove() const {
  if (path_.empty()) return true;
  remove_below(path_);
  return access(path_.c_str(), F_OK) != 0;
}

}  // namespace usvc::test
