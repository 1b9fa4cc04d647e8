// The job that is measured. It says from its own main() when it began, so no supervisor's word is taken for it.
//   bench-job SOCKET idle                until it is told to end
//   bench-job SOCKET exit STATUS         at once
//   bench-job SOCKET write BYTES CHUNK   numbered lines of 100 bytes to its stdout, CHUNK bytes at a time, then idles
//   bench-job SOCKET trickle             one line a millisecond, for ever
// SOCKET is a datagram socket of the harness; each message is "PID WHAT NANOSECONDS", by CLOCK_MONOTONIC.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t line_size = 100;

std::uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "bench-job: %s: %s\n", what, std::strerror(errno));
  std::_Exit(2);
}

void tell(const char* socket_path, const char* what, std::uint64_t at) {
  const int sender = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (sender < 0) give_up("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path, sizeof address.sun_path - 1);
  const std::string text = std::to_string(::getpid()) + " " + what + " " + std::to_string(at);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  if (::sendto(sender, text.data(), text.size(), 0, to, sizeof address) < 0) give_up(socket_path);
  ::close(sender);
}

// A number and filling: the log can be checked line by line, and by a checksum.
void number(char* line, std::uint64_t value) {
  for (int digit = 11; digit >= 0; --digit, value /= 10) line[digit] = static_cast<char>('0' + value % 10);
}

void write_all(const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(STDOUT_FILENO, data, size);
    if (written < 0) give_up("write");
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

void write_lines(std::uint64_t bytes, std::size_t chunk) {
  std::string block(std::max(chunk, line_size) / line_size * line_size, 'x');
  for (std::size_t end = line_size; end <= block.size(); end += line_size) block[end - 1] = '\n';
  std::uint64_t line = 0;
  for (std::uint64_t sent = 0; sent < bytes; sent += block.size()) {
    for (std::size_t at = 0; at < block.size(); at += line_size) number(block.data() + at, line++);
    write_all(block.data(), std::min<std::uint64_t>(block.size(), bytes - sent));
  }
}

[[noreturn]] void idle() {
  for (;;) ::pause();
}

[[noreturn]] void trickle() {
  std::string line(line_size, 'x');
  line.back() = '\n';
  const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
  for (std::uint64_t count = 0;; ++count) {
    number(line.data(), count);
    write_all(line.data(), line.size());
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t begun = now_ns();
  if (argc < 3) return 2;
  const std::string_view mode = argv[2];
  tell(argv[1], "main", begun);
  if (mode == "exit" && argc == 4) return std::atoi(argv[3]);
  if (mode == "write" && argc == 5) {
    const std::uint64_t from = now_ns();
    write_lines(std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10));
    tell(argv[1], "began", from);
    tell(argv[1], "written", now_ns());
    idle();
  }
  if (mode == "trickle") trickle();
  idle();
}
