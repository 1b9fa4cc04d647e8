// Messages of the keeper protocol through a real socket: whatever comes, what is accepted keeps to the protocol and
// what is not leaves no descriptor behind.
#include "keeper/protocol.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/message.h"
#include "fuzz.h"

namespace {

using namespace usvc;
using namespace usvc::keeper;
using fuzz::must;

int lowest_free_descriptor() {
  const Fd probe(::fcntl(0, F_DUPFD_CLOEXEC, 3));
  return probe.get();
}

void must_keep_to_protocol(const Received& received, std::size_t sent) {
  const Message& message = received.message;
  must(message.tag == magic && message.version == protocol_version, "the message is of this protocol");
  must(received.fds.size() == sent, "every descriptor that came is there");
  must(received.fds_lost == (sent < message.fd_count), "and it is said when others did not come");
  must(id_of(message).size() < message.id.size(), "the id ends");
  Message again;
  set_id(again, id_of(message));
  must(id_of(again) == id_of(message), "the id can be written again");
  for (std::size_t i = 0; i < received.fds.size(); ++i) {
    must(received.fds[i].role == message.roles.at(i), "each descriptor has its role");
    must(::fcntl(received.fds[i].fd.get(), F_GETFD) == FD_CLOEXEC, "each descriptor is open, and not for programs");
  }
}

void exchange(const SocketPair& pair, std::string_view bytes, std::size_t fd_count) {
  const std::vector<int> fds(fd_count, pair.ours.get());
  if (bytes.empty()) return;  // would read as end of file
  if (!send_message(pair.ours, std::as_bytes(std::span(bytes)), fds)) {
    must(fd_count > max_message_fds, "a message can be sent");
    return;
  }
  alignas(Message) std::array<std::byte, sizeof(Message)> buffer{};
  auto received = receive_message(pair.theirs, buffer);
  if (!received) {
    must(bytes.size() > buffer.size(), "a message that fits is received");
    return;
  }
  must(received->fds.size() == fd_count && received->size == bytes.size(), "a message arrives whole");
  auto checked = check(std::span(buffer).first(received->size), std::move(received->fds));
  if (checked)
    must_keep_to_protocol(*checked, fd_count);
  else
    fuzz::must_be_one_line(checked.error());
}

}  // namespace

// Several messages: a byte whose lower five bits are the number of descriptors and whose others say how the rest is to
// be read: as it is (one whole message or what is left), or with the frame made right.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int before = lowest_free_descriptor();
  {
    auto pair = make_socket_pair(SOCK_SEQPACKET);
    must(pair.has_value(), "a socket pair can be made");
    std::string_view rest = fuzz::text_of(data, size);
    while (!rest.empty()) {
      const auto how = static_cast<unsigned char>(rest[0]);
      rest.remove_prefix(1);
      const std::size_t fd_count = how & 31U;
      std::string bytes(rest.substr(0, (how & 64U) != 0 ? sizeof(Message) + 8 : sizeof(Message)));
      rest.remove_prefix(bytes.size());
      if ((how & 128U) != 0) {
        bytes.resize(sizeof(Message));
        Message message;
        std::memcpy(&message, bytes.data(), sizeof message);
        message.tag = magic;
        message.version = protocol_version;
        message.fd_count = static_cast<std::uint32_t>(fd_count);
        std::memcpy(bytes.data(), &message, sizeof message);
      }
      exchange(*pair, bytes, fd_count);
    }
  }
  must(lowest_free_descriptor() == before, "every descriptor is closed");
  return 0;
}
