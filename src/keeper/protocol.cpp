#include "keeper/protocol.h"

#include <unistd.h>

#include "base/version.h"

namespace usvc::keeper {

std::uint32_t spoken_version() {
  static const std::uint32_t spoken = [] {
    const auto other = pretended("protocol");
    return other ? static_cast<std::uint32_t>(std::stoul(*other)) : protocol_version;
  }();
  return spoken;
}

bool take_token(FdRef token) {
  std::uint64_t value = 0;
  return ::read(token.get(), &value, sizeof value) == sizeof value;
}

Fd take(std::vector<RoledFd>& fds, Role role) {
  for (auto& held : fds) {
    if (held.role == role) return std::move(held.fd);
  }
  return {};
}

Result<Received> check(std::span<const std::byte> bytes, std::vector<Fd> fds) {
  Received received;
  if (bytes.size() != sizeof(Message)) return fail("a message of the wrong size");
  std::memcpy(&received.message, bytes.data(), sizeof(Message));
  const Message& message = received.message;
  if (message.tag != magic) return fail("not a message of usvc's");
  if (message.version != spoken_version()) {
    return fail("the other side speaks version " + std::to_string(message.version) + " of the keeper protocol");
  }
  if (message.fd_count < fds.size() || message.fd_count > message.roles.size()) {
    return fail("a message with other descriptors than it says");
  }
  received.fds_lost = fds.size() < message.fd_count;
  if (message.id.back() != '\0') return fail("a message with an endless name");
  for (std::size_t i = 0; i < fds.size(); ++i) received.fds.push_back({message.roles[i], std::move(fds[i])});
  return received;
}

}  // namespace usvc::keeper
