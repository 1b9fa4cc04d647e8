#include "proc/scan.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <memory>

namespace usvc {

ProcPath::ProcPath(pid_t pid, std::string_view leaf) {
  constexpr std::string_view root = "/proc/";
  char* at = std::copy(root.begin(), root.end(), text_.data());
  char* const last = text_.data() + text_.size() - 1;
  at = std::to_chars(at, last, pid).ptr;
  if (at < last) *at++ = '/';
  const auto room = static_cast<std::size_t>(last - at);
  at = std::copy_n(leaf.begin(), std::min(room, leaf.size()), at);
  *at = '\0';
}

std::vector<pid_t> numbered_entries(const char* directory) {
  struct Close {
    void operator()(DIR* dir) const { ::closedir(dir); }
  };
  std::vector<pid_t> found;
  const std::unique_ptr<DIR, Close> dir(::opendir(directory));
  if (!dir) return found;
  // readdir fetches 32 KiB of entries a call; this stream is used by this thread alone.
  while (const dirent* entry = ::readdir(dir.get())) {  // NOLINT(concurrency-mt-unsafe)
    if (const auto number = whole_number<pid_t>(entry->d_name)) found.push_back(*number);
  }
  return found;
}

std::optional<std::string> read_link(const char* path) {
  std::array<char, PATH_MAX> target;  // NOLINT(cppcoreguidelines-pro-type-member-init): readlink fills it
  const ssize_t length = ::readlink(path, target.data(), target.size());
  if (length < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace usvc
