#include "base/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.h"

namespace usvc {

namespace {

// An address for `path`; `directory` is kept open where it takes a detour through /proc/self/fd.
struct Address {
  sockaddr_un value{};
  Fd directory;
};

Result<Address> address_of(const std::string& path) {
  Address address;
  address.value.sun_family = AF_UNIX;
  std::string usable = path;
  if (path.size() >= sizeof address.value.sun_path) {
    const auto slash = path.rfind('/');
    auto directory = open_file(path.substr(0, slash), O_PATH | O_DIRECTORY);
    if (!directory) return pass(directory);
    address.directory = std::move(*directory);
    usable = "/proc/self/fd/" + std::to_string(address.directory.get()) + path.substr(slash);
  }
  if (usable.size() >= sizeof address.value.sun_path) return fail(Error::from_errno(ENAMETOOLONG, path));
  std::memcpy(address.value.sun_path, usable.c_str(), usable.size() + 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Result<Fd> listen_unix(const std::string& path, int backlog) {
  auto address = address_of(path);
  if (!address) return pass(address);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail(Error::last("cannot replace the socket " + path));
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail(Error::last("cannot make a socket"));
  // Nobody else gets in before the mode is set: the directory is 0700.
  if (::bind(socket.get(), generic(address->value), sizeof address->value) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
      ::listen(socket.get(), backlog) != 0) {
    return fail(Error::last("cannot listen on " + path));
  }
  return socket;
}

Result<Fd> connect_unix(const std::string& path) {
  auto address = address_of(path);
  if (!address) return pass(address);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail(Error::last("cannot make a socket"));
  while (::connect(socket.get(), generic(address->value), sizeof address->value) != 0) {
    if (errno != EINTR) return fail(Error::last("cannot connect to " + path));
  }
  return socket;
}

std::optional<uid_t> peer_uid(FdRef socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer.uid;
}

}  // namespace usvc
