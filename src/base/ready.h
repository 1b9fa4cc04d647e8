// Whether a descriptor has something to say.
#pragma once

#include <poll.h>

#include <chrono>

#include "base/fd.h"

namespace usvc {

// Within that time; of a pidfd: its process has ended. `events` as in poll(2); an error or a hang-up counts in any
// case.
inline bool ready_within(FdRef fd, std::chrono::milliseconds wait, short events = POLLIN) {
  pollfd ready{.fd = fd.get(), .events = events, .revents = 0};
  return ::poll(&ready, 1, static_cast<int>(wait.count())) == 1;
}
inline bool ready_now(FdRef fd, short events = POLLIN) {
  return ready_within(fd, std::chrono::milliseconds(0), events);
}

}  // namespace usvc
