#include "base/watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <vector>

namespace usvc {

namespace {

Error watch_error(const std::string& path) {
  Error error = Error::last("cannot watch " + path);
  if (error.code() != ENOSPC) return error;
  return std::move(error).hint("raise fs.inotify.max_user_watches");
}

int poll_timeout(std::optional<Duration> timeout) {
  if (!timeout) return -1;
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
  return static_cast<int>(std::clamp<decltype(millis)>(millis, 0, INT_MAX));
}

}  // namespace

Result<Watch> Watch::create() {
  Fd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (fd) return Watch(std::move(fd));
  Error error = Error::last("cannot watch files");
  if (error.code() == EMFILE) error = std::move(error).hint("raise fs.inotify.max_user_instances or ulimit -n");
  return fail(std::move(error));
}

Status Watch::add_dir(const std::string& path) {
  constexpr auto changes = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
  if (::inotify_add_watch(fd_.get(), path.c_str(), changes) < 0) return fail(watch_error(path));
  return {};
}

Status Watch::add_file(const std::string& path) {
  if (::inotify_add_watch(fd_.get(), path.c_str(), IN_MODIFY) < 0 && errno != ENOENT) return fail(watch_error(path));
  return {};
}

Result<bool> Watch::wait(std::optional<Duration> timeout, std::initializer_list<FdRef> others, FdRef output) {
  std::vector<pollfd> fds = {pollfd{fd_.get(), POLLIN, 0}, pollfd{output.get(), 0, 0}};
  for (const FdRef other : others) fds.push_back({other.get(), POLLIN, 0});
  if (::poll(fds.data(), fds.size(), poll_timeout(timeout)) < 0) {
    if (errno == EINTR) return false;
    return fail(Error::last("cannot wait for changes"));
  }
  if (fds[0].revents == 0) return false;
  drain();
  return true;
}

void Watch::drain() {
  alignas(inotify_event) std::array<char, 16384> events;
  // What happened where does not matter: whoever follows looks at everything it follows.
  while (::read(fd_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace usvc
