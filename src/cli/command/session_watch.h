// Who keeps the windows of an instance's tmux in step with its jobs: one process, as long as the tmux server lives that
// started it.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/error.h"
#include "base/fd.h"
#include "job/layout.h"

namespace usvc {

class SessionWatch {
 public:
  // Takes its place, waiting for an earlier one to leave; nothing where there is one for that server already. `server`:
  // the tmux server that this lives with.
  static Result<std::optional<SessionWatch>> enter(const Layout& layout, pid_t server);
  // Whether there is one for that server. One for a server that has gone is about to leave.
  static bool at_work(const Layout& layout, pid_t server);
  // Has it look now, whatever has changed.
  static Status nudge(const Layout& layout);

 private:
  explicit SessionWatch(Fd lock) : lock_(std::move(lock)) {}
  Fd lock_;
};

}  // namespace usvc
