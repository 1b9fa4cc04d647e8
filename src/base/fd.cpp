#include "base/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace usvc {

Fd try_duplicate(FdRef fd, int least) {
  return Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, least));
}

Fd inherited_fd(int number) {
  return ::fcntl(number, F_SETFD, FD_CLOEXEC) == 0 ? Fd(number) : Fd();
}

Fd duplicate(FdRef fd) {
  Fd copy = try_duplicate(fd);
  if (!copy) throw std::system_error(errno, std::system_category(), "cannot duplicate a descriptor");
  return copy;
}

void Fd::reset() noexcept {
  if (fd_ >= 0) {
    // Linux frees the number even when close() reports EINTR or EIO, so there is nothing to try again.
    (void)::close(fd_);
    fd_ = -1;
  }
}

}  // namespace usvc
