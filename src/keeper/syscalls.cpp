#include "keeper/syscalls.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace usvc::keeper {

void note(const std::string& text) {
  const std::string line = "usvc-keeper: " + text + "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());  // there is nowhere to complain to
}

int wait_id(idtype_t type, id_t id, siginfo_t& info, int options, rusage* usage) {
  info = {};
  for (;;) {
    const long result = ::syscall(SYS_waitid, type, id, &info, options, usage);
    if (result == 0 || errno != EINTR) return static_cast<int>(result);
  }
}

}  // namespace usvc::keeper
