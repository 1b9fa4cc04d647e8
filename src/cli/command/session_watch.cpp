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

std::string note_of(pid_t server) {
  return std::to_string(server) + "\n";
}

}  // namespace

Result<std::optional<SessionWatch>> SessionWatch::enter(const Layout& layout, pid_t server) {
  if (at_work(layout, server)) return std::nullopt;
  auto lock = open_lock(layout);
  if (!lock) return pass(lock);
  while (::flock(lock->get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail(Error::last("cannot watch the tmux session"));
  }
  if (::ftruncate(lock->get(), 0) != 0) return fail(Error::last("cannot watch the tmux session"));
  if (auto written = write_all(*lock, note_of(server)); !written) return pass(written);
  return SessionWatch(std::move(*lock));
}

bool SessionWatch::at_work(const Layout& layout, pid_t server) {
  const auto lock = open_lock(layout);
  if (!lock || ::flock(lock->get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return false;
  const std::string wanted = note_of(server);
  const auto noted = read_at(*lock, 0, wanted.size());
  return noted && *noted == wanted;
}

Status SessionWatch::nudge(const Layout& layout) {
  const std::string file = layout.run_dir + "/tmux.nudge";
  if (auto made = write_file_atomically(file, "", Flush::no); !made) return made;
  return remove_all(file);
}

}  // namespace usvc
