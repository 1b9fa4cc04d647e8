// The floor's client: sends one request to bench-spawner and prints the answer. bench-ask SOCKET REQUEST
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror(argv[1]);
    return 1;
  }
  const std::size_t length = std::strlen(argv[2]);
  if (::write(server, argv[2], length) != static_cast<ssize_t>(length)) return 1;
  std::array<char, 65536> bytes;
  for (ssize_t size = 0; (size = ::read(server, bytes.data(), bytes.size())) > 0;) {
    if (::write(STDOUT_FILENO, bytes.data(), static_cast<std::size_t>(size)) != size) return 1;
  }
  return 0;
}
