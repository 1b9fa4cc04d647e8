#include "base/message.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace usvc {

Result<SocketPair> make_socket_pair(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(Error::last("cannot make a socket pair"));
  }
  return SocketPair{.ours = Fd(ends[0]), .theirs = Fd(ends[1])};
}

void FdAttachment::attach(msghdr& header, std::span<const int> fds) {
  header.msg_control = control_.data();
  header.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* first = CMSG_FIRSTHDR(&header);
  first->cmsg_level = SOL_SOCKET;
  first->cmsg_type = SCM_RIGHTS;
  first->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(first), fds.data(), fds.size_bytes());
}

Status send_message(FdRef socket, std::span<const std::byte> bytes, std::span<const int> fds) {
  if (fds.size() > max_message_fds) return fail(Error::from_errno(E2BIG, "too many descriptors for one message"));
  // iovec has no const; sendmsg does not write through it.
  iovec vector{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};  // NOLINT
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  FdAttachment attachment;
  if (!fds.empty()) attachment.attach(header, fds);
  for (;;) {
    if (::sendmsg(socket.get(), &header, MSG_NOSIGNAL) >= 0) return {};
    if (errno != EINTR) return fail(Error::last("cannot send a message"));
  }
}

bool is_passing(const Error& error) {
  return error.code() == ETOOMANYREFS || error.code() == ENOBUFS || error.code() == ENOMEM;
}

namespace {

void take_fds(msghdr& header, std::vector<Fd>& out) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      out.emplace_back(fd);
    }
  }
}

}  // namespace

Result<ReceivedMessage> receive_message(FdRef socket, std::span<std::byte> buffer) {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * max_message_fds)> control{};
  iovec vector{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t size = -1;
  do {
    size = ::recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return fail(Error::last("cannot receive a message"));
  ReceivedMessage message;
  message.size = static_cast<std::size_t>(size);
  take_fds(header, message.fds);
  if ((header.msg_flags & MSG_TRUNC) != 0) return fail(Error::from_errno(EBADMSG, "a message larger than agreed"));
  message.fds_lost = (header.msg_flags & MSG_CTRUNC) != 0;
  return message;
}

}  // namespace usvc
