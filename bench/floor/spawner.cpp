// The floor of supervision: what the kernel asks for starting, reaping and starting again, and nothing else.
//   bench-spawner SOCKET COMMAND [ARG…]     serves one-letter requests on a unix stream socket, one connection each
//     s N   starts N more of COMMAND; answers once all have been executed
//     l     reads /proc/PID/stat and /proc/PID/statm of each; answers with a line for each
//     k     SIGTERM to all; answers when all are reaped
//     q     ends
// A child that ends by itself is started again at once.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

extern char** environ;

namespace {

char** command = nullptr;
std::vector<pid_t> children;
bool keep_alive = true;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

pid_t spawn() {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  pid_t child = 0;
  if ((errno = ::posix_spawn(&child, command[0], nullptr, &attributes, command, environ)) != 0) give_up(command[0]);
  posix_spawnattr_destroy(&attributes);
  return child;
}

void reap() {
  for (;;) {
    const pid_t dead = ::waitpid(-1, nullptr, WNOHANG);
    if (dead <= 0) return;
    const auto place = std::find(children.begin(), children.end(), dead);
    if (place == children.end()) continue;
    if (keep_alive) {
      *place = spawn();
    } else {
      children.erase(place);
    }
  }
}

void stop_all() {
  keep_alive = false;
  for (const pid_t child : children) ::kill(child, SIGTERM);
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  children.clear();
  keep_alive = true;
}

std::string listing() {
  std::string text;
  std::array<char, 1024> bytes;
  for (const pid_t child : children) {
    for (const char* file : {"stat", "statm"}) {
      const std::string path = "/proc/" + std::to_string(child) + "/" + file;
      const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      const ssize_t size = opened < 0 ? 0 : ::read(opened, bytes.data(), bytes.size());
      if (opened >= 0) ::close(opened);
      if (size > 0) text.append(bytes.data(), std::min<std::size_t>(static_cast<std::size_t>(size), 40));
    }
    text += '\n';
  }
  return text;
}

void serve(int listener) {
  const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  std::array<char, 64> request{};
  std::string answer = "done\n";
  if (::read(client, request.data(), request.size() - 1) > 0) {
    if (request[0] == 's') {
      for (long left = std::atol(request.data() + 1); left > 0; --left) children.push_back(spawn());
    } else if (request[0] == 'l') {
      answer = listing();
    } else if (request[0] == 'k') {
      stop_all();
    } else if (request[0] == 'q') {
      stop_all();
      std::exit(0);
    }
  }
  for (std::size_t sent = 0; sent < answer.size();) {
    const ssize_t size = ::write(client, answer.data() + sent, answer.size() - sent);
    if (size <= 0) break;
    sent += static_cast<std::size_t>(size);
  }
  ::close(client);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  command = argv + 2;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const int ended = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up(argv[1]);
  if (::listen(listener, 64) != 0) give_up("listen");
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  for (const int watched : {ended, listener}) {
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.fd = watched;
    if (::epoll_ctl(poll, EPOLL_CTL_ADD, watched, &interest) != 0) give_up("epoll_ctl");
  }
  for (;;) {
    epoll_event event{};
    if (::epoll_wait(poll, &event, 1, -1) < 1) continue;
    if (event.data.fd == listener) {
      serve(listener);
      continue;
    }
    signalfd_siginfo info{};
    while (::read(ended, &info, sizeof info) > 0) {
    }
    reap();
  }
}
