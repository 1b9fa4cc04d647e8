#include "base/fd.h"

#include <unistd.h>

namespace usvc {

void Fd::reset() noexcept {
  if (fd_ >= 0) {
    // Linux frees the number even when close() reports EINTR or EIO, so there is nothing to try again.
    (void)::close(fd_);
    fd_ = -1;
  }
}

}  // namespace usvc
