// Who keeps the windows of an instance's tmux in step with its jobs: one process, as long as the tmux server lives that
// started it.
#pragma once

#include "base/error.h"
#include "base/fd.h"
#include "job/layout.h"

namespace usvc {

class SessionWatch {
 public:
  // Takes its place, waiting for an earlier one to leave.
  static Result<SessionWatch> enter(const Layout& layout);
  static bool at_work(const Layout& layout);
  // Has it look now, whatever has changed.
  static Status nudge(const Layout& layout);

 private:
  explicit SessionWatch(Fd lock) : lock_(std::move(lock)) {}
  Fd lock_;
};

}  // namespace usvc
