// The floor of supervision: what the kernel asks for starting, reaping and starting again, and nothing else.
//   bench-spawner SOCKET COMMAND [ARG…]     serves one-letter requests on a unix stream socket, one connection each
//     s N   starts N more of COMMAND; answers once all have been executed
//     p N   the same with what has to be kept of a job that is to survive its supervisor: see keep_promises()
//     l     reads /proc/PID/stat and /proc/PID/statm of each; answers with a line for each
//     k     SIGTERM to all; answers when all are reaped
//     q     ends
// A child that ends by itself is started again at once.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
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
const char* socket_path = nullptr;
std::vector<pid_t> children;
bool keep_alive = true;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

// `terminal` becomes its standard input, output and error, unless it is -1.
pid_t spawn(int terminal = -1) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (int target = 0; target < 3 && terminal >= 0; ++target) {
    posix_spawn_file_actions_adddup2(&files, terminal, target);
  }
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  pid_t child = 0;
  if ((errno = ::posix_spawn(&child, command[0], &files, &attributes, command, environ)) != 0) give_up(command[0]);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return child;
}

void write_file(const std::string& path, std::size_t size) {
  static const std::string bytes(4096, 'x');
  const std::string temporary = path + ".tmp";
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 || ::write(file, bytes.data(), size) < 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    give_up(path.c_str());
  }
  ::close(file);
}

// The least that is written and made for a job on a terminal whose settings, environment, output, state and directory
// are to outlive whoever supervises it, by bare system calls with made-up contents: conf and environment replaced in
// one step, four lines of a journal, the log and the first marks of its index, a directory, a terminal with its
// settings, the pidfd that tells of its end, and that the terminal is watched.
void keep_promises() {
  static const std::string home = std::string(socket_path) + ".kept";
  static const int journal = [] {
    ::mkdir(home.c_str(), 0700);
    return ::open((home + "/journal").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }();
  static const int watched = ::epoll_create1(EPOLL_CLOEXEC);
  static int number = 0;
  const std::string job = home + "/" + std::to_string(++number);
  static const std::array<char, 176> line{};
  if (::write(journal, line.data(), 111) != 111) give_up("journal");
  write_file(job + ".env", 1424);
  write_file(job + ".conf", 644);
  if (::write(journal, line.data(), 117) != 117) give_up("journal");
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  termios modes{};
  if (terminal < 0 || ::unlockpt(terminal) != 0) give_up("terminal");
  const int other_side = ::ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (other_side < 0 || ::tcgetattr(other_side, &modes) != 0) give_up("terminal");
  modes.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
  const winsize window{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  if (::tcsetattr(other_side, TCSANOW, &modes) != 0 || ::ioctl(other_side, TIOCSWINSZ, &window) != 0)
    give_up("terminal");
  const int log = ::open((job + ".log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const int index = ::open((job + ".log.idx").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (log < 0 || index < 0 || ::write(index, line.data(), 32) != 32) give_up("log");
  ::close(index);
  ::mkdir((job + ".work").c_str(), 0700);
  children.push_back(spawn(other_side));
  ::close(other_side);
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, children.back(), 0));
  if (pidfd < 0) give_up("pidfd_open");
  for (const int source : {terminal, pidfd}) {
    epoll_event interest{};
    interest.events = EPOLLIN;
    if (::epoll_ctl(watched, EPOLL_CTL_ADD, source, &interest) != 0) give_up("epoll_ctl");
  }
  if (::write(journal, line.data(), 176) != 176 || ::write(journal, line.data(), 117) != 117) give_up("journal");
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
    } else if (request[0] == 'p') {
      for (long left = std::atol(request.data() + 1); left > 0; --left) keep_promises();
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
  socket_path = argv[1];
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
  }
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
