// How long a command takes as a whole process, from before vfork to after its end: bench-timed RUNS COMMAND [ARG…]
// prints the nanoseconds of each run, one a line. What the command prints is thrown away; its failure is ours.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

extern char** environ;

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  for (long run = std::atol(argv[1]); run > 0; --run) {
    timespec from{};
    timespec to{};
    pid_t child = 0;
    ::clock_gettime(CLOCK_MONOTONIC, &from);
    if (const int error = ::posix_spawnp(&child, argv[2], &actions, nullptr, argv + 2, environ); error != 0) {
      std::fprintf(stderr, "bench-timed: %s: %s\n", argv[2], std::strerror(error));
      return 1;
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child) return 1;
    ::clock_gettime(CLOCK_MONOTONIC, &to);
    if (status != 0) {
      std::fprintf(stderr, "bench-timed: %s ended with wait status %d\n", argv[2], status);
      return 1;
    }
    const std::int64_t seconds = to.tv_sec - from.tv_sec;
    std::printf("%lld\n", static_cast<long long>(seconds * 1'000'000'000 + to.tv_nsec - from.tv_nsec));
  }
  return 0;
}
