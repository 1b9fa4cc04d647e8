#include "faults/soak_job.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

namespace usvc::test {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void nap(long milliseconds) {
  timespec left{.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

double now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// One write to a file that others append to: a line of the account is there as a whole or not at all.
void note(const std::string& file, const std::string& line) {
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(78);
  close(fd);
}

// How many lines this run has written, in a file that outlives whatever kills it.
volatile std::uint64_t* counter(const std::string& file) {
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, 8) != 0) _exit(78);
  void* page = mmap(nullptr, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) _exit(78);
  close(fd);
  return static_cast<volatile std::uint64_t*>(page);
}

class Run {
 public:
  explicit Run(std::string directory)
      : directory_(std::move(directory)), job_(variable("USVC_JOB")), run_(variable("USVC_RUN")) {
    lock_ = open((directory_ + "/locks/" + job_).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0) _exit(78);
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      note(directory_ + "/two-copies", job_ + " " + run_ + "\n");
      _exit(77);
    }
    account("begin", std::to_string(getpid()));
    lines_ = counter(directory_ + "/counts/" + run_);
  }

  void line() {
    const std::uint64_t number = *lines_ + 1;
    std::string text = "<" + run_ + " " + std::to_string(number) + std::string(number % 61, '.') + ">\n";
    std::string_view left = text;
    while (!left.empty()) {
      const ssize_t put = write(STDOUT_FILENO, left.data(), left.size());
      if (put < 0 && errno == EINTR) continue;
      // Both are gone, and the output with them.
      if (put < 0) end_by_exit(9);
      left.remove_prefix(static_cast<std::size_t>(put));
    }
    *lines_ = number;
  }

  [[noreturn]] void end_by_exit(int code) {
    account("end", "code " + std::to_string(code));
    _exit(code);
  }
  [[noreturn]] void end_by_signal(int signal) {
    account("end", "signal " + std::to_string(signal));
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    std::signal(signal, SIG_DFL);
    kill(getpid(), signal);
    for (;;) pause();
  }
  // A daemon that only the sweep can find.
  void leave_daemon() const {
    const pid_t child = fork();
    if (child != 0) return;
    setsid();
    if (fork() != 0) _exit(0);
    for (int fd = 0; fd < 16; ++fd) close(fd);
    for (;;) pause();
  }

 private:
  void account(const char* what, const std::string& more) const {
    note(directory_ + "/ledger",
         std::string(what) + " " + job_ + " " + run_ + " " + std::to_string(now()) + " " + more + "\n");
  }

  std::string directory_;
  std::string job_;
  std::string run_;
  int lock_ = -1;
  volatile std::uint64_t* lines_ = nullptr;
};

}  // namespace

void be_soak_job(const char* directory, const char* kind, long interval_ms) {
  const std::string_view what = kind;
  if (what == "deaf") std::signal(SIGTERM, SIG_IGN);
  Run run(directory);
  if (what == "forker") run.leave_daemon();
  timespec seed{};
  clock_gettime(CLOCK_MONOTONIC, &seed);
  const auto random = static_cast<long>(seed.tv_nsec / 1000 + getpid());
  const bool brief = what == "crasher" || what == "brief";
  const long lines = brief ? 5 + random % 40 : -1;
  for (long i = 0; lines < 0 || i < lines; ++i) {
    // Now and then a burst.
    for (long j = 0; j < (i % 50 == 49 ? 200 : 1); ++j) run.line();
    nap(interval_ms);
  }
  if (what == "brief") run.end_by_exit(0);
  constexpr int signals[] = {SIGKILL, SIGSEGV, SIGABRT, SIGTERM, SIGUSR1};
  if (random % 2 == 0) run.end_by_signal(signals[random / 2 % 5]);
  run.end_by_exit(static_cast<int>(1 + random / 2 % 120));
}

}  // namespace usvc::test
