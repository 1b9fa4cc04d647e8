#include "cli/outlet.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

namespace usvc {

namespace {

// So much fits into what poll(2) calls writable, without waiting; a file takes any amount.
std::size_t most_at_once(FdRef out) {
  struct stat info {};
  const bool file = ::fstat(out.get(), &info) == 0 && S_ISREG(info.st_mode);
  return file ? SSIZE_MAX : PIPE_BUF;
}

}  // namespace

Outlet::Outlet(FdRef out, FdRef interrupt, std::function<void()> heed)
    : out_(out), interrupt_(interrupt), heed_(std::move(heed)), most_at_once_(most_at_once(out)) {}

Status Outlet::write(std::string_view bytes) {
  while (!bytes.empty()) {
    std::array<pollfd, 2> fds = {pollfd{out_.get(), POLLOUT, 0}, pollfd{interrupt_.get(), POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return fail(Error::last("cannot wait for whoever reads the output"));
    }
    if (fds[1].revents != 0) heed_();
    if (fds[0].revents == 0) continue;
    const ssize_t put = ::write(out_.get(), bytes.data(), std::min(bytes.size(), most_at_once_));
    if (put < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (put < 0) return fail(Error::last("cannot write the output"));
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace usvc
