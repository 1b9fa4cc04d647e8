#include "base/standard_fds.h"

#include <fcntl.h>

namespace usvc {

void occupy_standard_fds() {
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The wrong way round on purpose; the lowest free number is this one. Children are to have it too.
    (void)::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);  // NOLINT(android-cloexec-open)
  }
}

}  // namespace usvc
