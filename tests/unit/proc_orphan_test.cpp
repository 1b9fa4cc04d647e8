#include <poll.h>
#include <sys/utsname.h>

#include <cstdio>

#include "proc/orphan.h"
#include "unit/proc_testing.h"

namespace usvc {
namespace {

using testing_proc::Child;

bool kernel_tells_exits() {
  utsname name{};
  int major = 0;
  int minor = 0;
  if (::uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
  return major > 6 || (major == 6 && minor >= 15);
}

// A grandchild that ends as `end` does when it is let go; its parent, not the test, reaps it.
struct Grandchild {
  template <class End>
  explicit Grandchild(End end)
      : parent([this, end] {
          const pid_t made = ::fork();
          if (made == 0) {
            (void)testing_proc::hear(go.first.get());
            ::_exit(end());
          }
          testing_proc::tell(told.second.get(), made);
          (void)testing_proc::hear(reap.first.get());
          ::waitpid(made, nullptr, 0);
          return testing_proc::sleep_forever();
        }) {
    pid = testing_proc::hear(told.first.get());
    pidfd = testing_proc::open_pidfd(pid);
  }
  ~Grandchild() {
    if (pidfd) ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  }
  Grandchild(const Grandchild&) = delete;
  Grandchild& operator=(const Grandchild&) = delete;
  std::pair<Fd, Fd> told = testing_proc::make_pipe();
  std::pair<Fd, Fd> go = testing_proc::make_pipe();
  std::pair<Fd, Fd> reap = testing_proc::make_pipe();
  Child parent;
  pid_t pid = -1;
  Fd pidfd;
};

TEST(Orphan, ExitIsToldOnceSomebodyHasReapedIt) {
  Grandchild grandchild([] { return 7; });
  ASSERT_TRUE(grandchild.pidfd);
  EXPECT_EQ(exit_status_from_pidfd(grandchild.pidfd), std::nullopt) << "it runs";
  const ProcessStat stat = testing_proc::stat_of(grandchild.pid);
  EXPECT_EQ(zombie_exit_status(grandchild.pid, stat.start_ticks), std::nullopt) << "it runs";

  testing_proc::tell(grandchild.go.second.get(), 1);
  ASSERT_TRUE(testing_proc::wait_for(grandchild.pidfd.get(), POLLIN));
  EXPECT_EQ(exit_status_from_pidfd(grandchild.pidfd), std::nullopt) << "it is a zombie";
  const auto status = zombie_exit_status(grandchild.pid, stat.start_ticks);
  ASSERT_TRUE(status);
  EXPECT_TRUE(WIFEXITED(*status));
  EXPECT_EQ(WEXITSTATUS(*status), 7);
  EXPECT_EQ(zombie_exit_status(grandchild.pid, stat.start_ticks + 1), std::nullopt) << "another process";

  testing_proc::tell(grandchild.reap.second.get(), 1);
  if (!kernel_tells_exits()) GTEST_SKIP() << "the kernel is older than 6.15";
  ASSERT_TRUE(testing_proc::wait_for(grandchild.pidfd.get(), POLLHUP));
  EXPECT_EQ(exit_status_from_pidfd(grandchild.pidfd), status);
  EXPECT_EQ(zombie_exit_status(grandchild.pid, stat.start_ticks), std::nullopt);
}

TEST(Orphan, ASignalIsToldAsOne) {
  if (!kernel_tells_exits()) GTEST_SKIP() << "the kernel is older than 6.15";
  Grandchild grandchild([] { return testing_proc::sleep_forever(); });
  ASSERT_TRUE(grandchild.pidfd);
  ASSERT_EQ(::kill(grandchild.pid, SIGKILL), 0);
  testing_proc::tell(grandchild.reap.second.get(), 1);
  ASSERT_TRUE(testing_proc::wait_for(grandchild.pidfd.get(), POLLHUP));
  const auto status = exit_status_from_pidfd(grandchild.pidfd);
  ASSERT_TRUE(status);
  EXPECT_TRUE(WIFSIGNALED(*status));
  EXPECT_EQ(WTERMSIG(*status), SIGKILL);
}

TEST(Orphan, OtherDescriptorsTellNothing) {
  const auto [in, out] = testing_proc::make_pipe();
  EXPECT_EQ(exit_status_from_pidfd(in), std::nullopt);
  EXPECT_EQ(exit_status_from_pidfd(FdRef(-1)), std::nullopt);
}

}  // namespace
}  // namespace usvc
