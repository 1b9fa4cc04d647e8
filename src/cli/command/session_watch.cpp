#include "cli/command/session_watch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/files.h"

namespace usvc {

namespace {

Result<Fd> open_lock(const Layout& layout) {
  return open_file(layout.run_dir + "/tmux.lock", O_RDWR | O_CREAT);
}

}  // namespace

Result<SessionWatch> SessionWatch::enter(const Layout& layout, pid_t server) {
  auto lock = open_lock(layout);
  if (!lock) return pass(lock);
  while (::flock(lock->get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail(Error::last("cannot watch the tmux session"));
  }
  if (::ftruncate(lock->get(), 0) != 0) return fail(Error::last("cannot watch the tmux session"));
  if (auto written = write_all(*lock, std::to_string(server)); !written) return pass(written);
  return SessionWatch(std::move(*lock));
}

bool SessionWatch::at_work(const Layout& layout, pid_t server) {
  const auto lock = open_lock(layout);
  if (!lock || ::flock(lock->get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return false;
  const auto noted = read_at(*lock, 0, 32);
  return noted && *noted == std::to_string(server);
}

Status SessionWatch::nudge(const Layout& layout) {
  const std::string file = layout.run_dir + "/tmux.nudge";
  if (auto made = write_file_atomically(file, "", Flush::no); !made) return made;
  return remove_all(file);
}

}  // namespace usvc
