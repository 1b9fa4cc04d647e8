// The floor of keeping output: one job, its output into one file, by the plainest means.
//   bench-copier pipe LOG COMMAND [ARG…]   splice(2) from a 1 MiB pipe, a nap of 1 ms after a small batch
//   bench-copier tty LOG COMMAND [ARG…]    a pseudo-terminal without output processing, read and written
// Ends when the job has ended and its output is in the log. SIGTERM is passed on to the job.
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace {

constexpr std::size_t pipe_size = std::size_t{1} << 20U;
constexpr ssize_t small_batch = 64 << 10;
pid_t job = 0;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

void pass_on(int signal) {
  ::kill(job, signal);
}

void run(char** command, int output) {
  job = ::fork();
  if (job < 0) give_up("fork");
  if (job > 0) return;
  ::setsid();
  ::dup2(output, STDOUT_FILENO);
  ::execv(command[0], command);
  give_up(command[0]);
}

void copy_pipe(int log, char** command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) give_up("pipe2");
  (void)::fcntl(ends[1], F_SETPIPE_SZ, pipe_size);
  run(command, ends[1]);
  ::close(ends[1]);
  const timespec nap{.tv_sec = 0, .tv_nsec = 1'000'000};
  for (;;) {
    const ssize_t moved = ::splice(ends[0], nullptr, log, nullptr, pipe_size, 0);
    if (moved == 0) return;
    if (moved < 0 && errno != EINTR) give_up("splice");
    if (moved > 0 && moved < small_batch) ::nanosleep(&nap, nullptr);
  }
}

void drain_tty(int log, char** command) {
  int master = -1;
  int slave = -1;
  if (::openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) give_up("openpty");
  termios settings{};
  ::tcgetattr(slave, &settings);
  settings.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
  ::tcsetattr(slave, TCSANOW, &settings);
  ::fcntl(master, F_SETFD, FD_CLOEXEC);
  run(command, slave);
  ::close(slave);
  std::array<char, 65536> bytes;
  for (;;) {
    const ssize_t size = ::read(master, bytes.data(), bytes.size());
    if (size <= 0 && errno == EINTR) continue;
    if (size <= 0) return;
    if (::write(log, bytes.data(), static_cast<std::size_t>(size)) != size) give_up("write");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const int log = ::open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (log < 0) give_up(argv[2]);
  struct sigaction passing {};
  passing.sa_handler = pass_on;
  ::sigaction(SIGTERM, &passing, nullptr);
  if (std::string_view(argv[1]) == "pipe") {
    copy_pipe(log, argv + 3);
  } else {
    drain_tty(log, argv + 3);
  }
  ::waitpid(job, nullptr, 0);
  return 0;
}
