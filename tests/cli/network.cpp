#include "cli/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

namespace usvc::test {

namespace {

constexpr int patience_ms = 2000;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Fd bound_socket(int& port) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(0);
  socklen_t size = sizeof address;
  bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size);          // NOLINT: the sockets interface wants the cast
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);  // NOLINT: as above
  port = ntohs(address.sin_port);
  return fd;
}

// Appends what can be read in time; false at the end, on an error or when nothing came.
bool receive_some(const Fd& fd, std::string& into) {
  pollfd poll_fd{fd.get(), POLLIN, 0};
  if (poll(&poll_fd, 1, patience_ms) <= 0) return false;
  std::array<char, 65536> buffer{};
  const ssize_t got = recv(fd.get(), buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  into.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

std::size_t content_length(std::string head) {
  std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto at = head.find("content-length:");
  return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 15, nullptr, 10);
}

}  // namespace

int free_port() {
  int port = 0;
  bound_socket(port);
  return port;
}

std::optional<std::string> talk(int port, const std::string& request, const std::string& enough) {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = loopback(port);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface wants it
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) return {};
  if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  while (receive_some(fd, answer)) {
    if (!enough.empty() && answer.find(enough) != std::string::npos) break;
  }
  return answer;
}

std::optional<std::string> http_get(int port, const std::string& path) {
  const auto answer = talk(port, "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
  if (!answer || answer->find(" 200 ") == std::string::npos) return {};
  const auto body = answer->find("\r\n\r\n");
  return body == std::string::npos ? std::string() : answer->substr(body + 4);
}

Receiver::Receiver() : listener_(bound_socket(port_)) {
  listen(listener_.get(), 8);
}

std::optional<std::string> Receiver::receive(std::chrono::milliseconds deadline) {
  pollfd poll_fd{listener_.get(), POLLIN, 0};
  if (poll(&poll_fd, 1, static_cast<int>(deadline.count())) <= 0) return {};
  const Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::string request;
  const auto complete = [&] {
    const auto head = request.find("\r\n\r\n");
    return head != std::string::npos && request.size() >= head + 4 + content_length(request.substr(0, head));
  };
  while (!complete() && receive_some(client, request)) {
  }
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  (void)!send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  return request;
}

}  // namespace usvc::test
