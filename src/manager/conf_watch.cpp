#include "manager/conf_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace usvc {

ConfWatch ConfWatch::create(const std::string& directory) {
  Fd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  // A file that is written goes by what it was opened for: the end of that tells, not each write.
  constexpr auto edits = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
  if (fd && ::inotify_add_watch(fd.get(), directory.c_str(), edits) < 0) fd = Fd();
  return ConfWatch(std::move(fd));
}

std::optional<std::set<std::string>> ConfWatch::take() {
  if (!fd_) return std::nullopt;
  std::set<std::string> names;
  bool known = std::exchange(known_, true);
  alignas(inotify_event) std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t size = ::read(fd_.get(), buffer.data(), buffer.size());
    if (size <= 0) break;
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, &buffer[at], sizeof event);
      if ((event.mask & IN_Q_OVERFLOW) != 0) known = false;
      if ((event.mask & IN_IGNORED) != 0) fd_ = Fd();  // the directory is another by now
      const std::string_view name(event.len > 0 ? &buffer[at + sizeof event] : "");
      constexpr std::string_view suffix = ".conf";
      if (name.ends_with(suffix)) names.emplace(name.substr(0, name.size() - suffix.size()));
      at += sizeof event + event.len;
    }
    if (!fd_) return std::nullopt;
  }
  if (!known) return std::nullopt;
  return names;
}

}  // namespace usvc
