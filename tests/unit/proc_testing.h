// Real processes for the tests of src/proc: each is ended and reaped whatever the test does.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "proc/process.h"

namespace usvc::testing_proc {

inline std::pair<Fd, Fd> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) ADD_FAILURE() << "pipe2 failed";
  return {Fd(ends[0]), Fd(ends[1])};
}

inline Fd open_pidfd(pid_t pid) {
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// Whether `event` came within ten seconds.
inline bool wait_for(int fd, short event) {
  pollfd wanted{fd, event, 0};
  int ready = 0;
  do {
    ready = ::poll(&wanted, 1, 10'000);
  } while (ready < 0 && errno == EINTR);
  return ready == 1 && (wanted.revents & event) != 0;
}

// A forked child that runs `body` (what it returns is its exit code) and is killed at the end of the test.
class Child {
 public:
  template <class Body>
  explicit Child(Body body) : pid_(::fork()) {
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::_exit(body());
    }
    EXPECT_GT(pid_, 0);
  }
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    (void)reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Waits for its end and leaves it a zombie.
  void await_zombie() const {
    siginfo_t info{};
    EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT), 0);
  }
  int reap() {
    int status = -1;
    EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

// For as long as it lives orphans become children of the test, as they become the keeper's.
class Subreaper {
 public:
  Subreaper() { EXPECT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0); }
  ~Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }
  Subreaper(const Subreaper&) = delete;
  Subreaper& operator=(const Subreaper&) = delete;
};

// Ends and reaps a process that became the test's own child.
class Adopted {
 public:
  explicit Adopted(pid_t pid) : pid_(pid) { EXPECT_GT(pid_, 0); }
  ~Adopted() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Adopted(const Adopted&) = delete;
  Adopted& operator=(const Adopted&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

// A child tells its parent one number.
inline void tell(int fd, pid_t value) {
  if (::write(fd, &value, sizeof value) != sizeof value) ::_exit(99);
}
// -1 when the writers have gone without a word or were silent for ten seconds.
inline pid_t hear(int fd) {
  pid_t value = -1;
  if (!wait_for(fd, POLLIN)) return -1;
  return ::read(fd, &value, sizeof value) == sizeof value ? value : -1;
}

inline int sleep_forever() {
  for (;;) ::pause();
}

inline ProcessStat stat_of(pid_t pid) {
  ProcessStat stat;
  std::string buffer;
  EXPECT_TRUE(read_stat(pid, stat, buffer)) << pid;
  return stat;
}

}  // namespace usvc::testing_proc
