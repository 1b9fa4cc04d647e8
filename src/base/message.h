// Datagrams with descriptors over a unix socket (SOCK_SEQPACKET, SCM_RIGHTS; unix(7)).
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

// At most this many descriptors travel with one message; the kernel's own bound is 253.
inline constexpr std::size_t max_message_fds = 16;

struct SocketPair {
  Fd ours;
  Fd theirs;
};
// `type` is SOCK_SEQPACKET or SOCK_STREAM; both ends O_CLOEXEC, blocking.
Result<SocketPair> make_socket_pair(int type);

// Puts descriptors beside a message that is about to be sent; must outlive the call of sendmsg(2).
class FdAttachment {
 public:
  // At most max_message_fds.
  void attach(msghdr& header, std::span<const int> fds);

 private:
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * max_message_fds)> control_{};
};

// Never raises SIGPIPE. code() is EAGAIN when a non-blocking socket is full.
Status send_message(FdRef socket, std::span<const std::byte> bytes, std::span<const int> fds = {});

// After a failed send_message(): the kernel has no room for it now (too many descriptors in flight, unix(7), or no
// memory), and nothing tells when it has again.
bool is_passing(const Error& error);

struct ReceivedMessage {
  std::size_t size = 0;  // 0: the peer is gone
  std::vector<Fd> fds;   // O_CLOEXEC, in the sender's order
  // This process had no room for all of them (EMFILE): those in `fds` are the first.
  bool fds_lost = false;
};
// code() is EAGAIN when there is none on a non-blocking socket. A message larger than `buffer` is an error of the
// peer's (EBADMSG); what came with it is closed.
Result<ReceivedMessage> receive_message(FdRef socket, std::span<std::byte> buffer);

}  // namespace usvc
