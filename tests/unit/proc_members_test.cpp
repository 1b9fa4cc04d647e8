#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "proc/members.h"
#include "unit/proc_testing.h"

namespace usvc {
namespace {

using testing_proc::Adopted;
using testing_proc::Child;
using testing_proc::Subreaper;

int run_program(const std::vector<const char*>& arguments, const std::vector<const char*>& environment) {
  std::vector<char*> argv;
  std::vector<char*> env;
  for (const char* argument : arguments) argv.push_back(const_cast<char*>(argument));
  for (const char* variable : environment) env.push_back(const_cast<char*>(variable));
  argv.push_back(nullptr);
  env.push_back(nullptr);
  ::execve(argv[0], argv.data(), env.data());
  return 98;
}

// A daemon as daemons are: forked twice, in a session of its own, its descriptors closed, its parent gone. It has
// replaced its image by sleep(1), with only `variable` in its environment, when the constructor returns.
class Daemon {
 public:
  explicit Daemon(const std::string& variable) {
    auto [heard, told] = testing_proc::make_pipe();
    const int out = told.get();
    Child first([out, &variable] {
      if (::fork() != 0) return 0;
      ::setsid();
      if (::fork() != 0) return 0;
      testing_proc::tell(out, ::getpid());
      for (const int fd : {0, 1, 2}) ::close(fd);
      return run_program({"/bin/sleep", "1000"}, {variable.c_str()});
    });
    told.reset();
    pid_ = testing_proc::hear(heard.get());
    // Its end of the pipe closes at its exec.
    EXPECT_TRUE(testing_proc::wait_for(heard.get(), POLLHUP));
    first.reap();
  }
  ~Daemon() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    // The process between the two forks became ours as well.
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

std::vector<pid_t> pids_of(const std::vector<Member>& members) {
  std::vector<pid_t> pids;
  for (const Member& member : members) pids.push_back(member.pid);
  std::ranges::sort(pids);
  return pids;
}

bool has_mark(const RunMarks& marks, pid_t pid) {
  return belongs(marks, pid, testing_proc::stat_of(pid));
}

ino_t inode_of(int fd) {
  struct stat info {};
  EXPECT_EQ(::fstat(fd, &info), 0);
  return info.st_ino;
}

TEST(Members, SessionAndGroupOfTheMainProcess) {
  const auto [heard, told] = testing_proc::make_pipe();
  const int out = told.get();
  const Child main([out] {
    ::setsid();
    const Child inside([out] {
      ::setpgid(0, 0);
      testing_proc::tell(out, ::getpid());
      return testing_proc::sleep_forever();
    });
    return testing_proc::sleep_forever();
  });
  const Child outside([] { return testing_proc::sleep_forever(); });
  const pid_t inside = testing_proc::hear(heard.get());
  ASSERT_GT(inside, 0);
  RunMarks marks;
  marks.main = main.pid();
  marks.main_start_ticks = testing_proc::stat_of(main.pid()).start_ticks;
  EXPECT_TRUE(has_mark(marks, main.pid()));
  EXPECT_TRUE(has_mark(marks, inside));
  EXPECT_FALSE(has_mark(marks, outside.pid()));
  EXPECT_FALSE(has_mark(marks, ::getpid()));
  // Somebody else's process with that pid, and its session.
  --marks.main_start_ticks;
  EXPECT_FALSE(has_mark(marks, main.pid()));
  EXPECT_FALSE(has_mark(marks, inside));
}

TEST(Members, TheTerminalByControlOrByDescriptor) {
  const Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::array<char, 64> name{};
  if (!master || ::unlockpt(master.get()) != 0 || ::ptsname_r(master.get(), name.data(), name.size()) != 0) {
    GTEST_SKIP() << "no terminal to be had";
  }
  const Fd terminal(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal);
  struct stat info {};
  ASSERT_EQ(::fstat(terminal.get(), &info), 0);
  const auto [heard, told] = testing_proc::make_pipe();
  const int out = told.get();
  const int inherited = terminal.get();
  const Child controlled([&] {
    ::setsid();
    ::close(::open(name.data(), O_RDWR | O_CLOEXEC));
    ::close(inherited);
    testing_proc::tell(out, 1);
    return testing_proc::sleep_forever();
  });
  ASSERT_EQ(testing_proc::hear(heard.get()), 1);
  const Child holder([] { return testing_proc::sleep_forever(); });
  RunMarks by_control;
  by_control.tty = info.st_rdev;
  EXPECT_TRUE(has_mark(by_control, controlled.pid()));
  EXPECT_FALSE(has_mark(by_control, holder.pid()));
  RunMarks by_descriptor;
  by_descriptor.tty_path = name.data();
  EXPECT_FALSE(has_mark(by_descriptor, controlled.pid()));
  EXPECT_TRUE(has_mark(by_descriptor, holder.pid()));
}

TEST(Members, HoldersOfAPipe) {
  const auto [in, out] = testing_proc::make_pipe();
  const auto [other_in, other_out] = testing_proc::make_pipe();
  const auto [heard, told] = testing_proc::make_pipe();
  const int say = told.get();
  const Child holder([] { return testing_proc::sleep_forever(); });
  const std::array<int, 2> ends{in.get(), out.get()};
  const Child closed([&] {
    for (const int end : ends) ::close(end);
    testing_proc::tell(say, 1);
    return testing_proc::sleep_forever();
  });
  ASSERT_EQ(testing_proc::hear(heard.get()), 1);
  RunMarks marks;
  marks.pipes = {inode_of(in.get())};
  EXPECT_TRUE(has_mark(marks, holder.pid()));
  EXPECT_FALSE(has_mark(marks, closed.pid()));
  // We hold it too and are never named.
  EXPECT_EQ(pids_of(all_members(marks, {})), std::vector<pid_t>{holder.pid()});
  EXPECT_TRUE(all_members(marks, {holder.pid()}).empty());
}

TEST(Members, ADaemonIsFoundByItsEnvironment) {
  const Subreaper reaper;
  const Daemon daemon("USVC_RUN=members-test-17");
  ASSERT_GT(daemon.pid(), 0);
  RunMarks marks;
  marks.run_id = "members-test-17";
  const ProcessStat stat = testing_proc::stat_of(daemon.pid());
  EXPECT_EQ(stat.ppid, ::getpid());
  const std::vector<Member> expected{{daemon.pid(), stat.start_ticks, "sleep"}};
  EXPECT_EQ(strays_of(::getpid(), {}, marks), expected);
  EXPECT_EQ(strays_of(Snapshot::take(), ::getpid(), {}, marks), expected);
  EXPECT_EQ(all_members(marks, {}), expected);
  EXPECT_TRUE(strays_of(::getpid(), {daemon.pid()}, marks).empty());
  EXPECT_EQ(unknown_strays(::getpid(), {}), expected);
  EXPECT_TRUE(unknown_strays(::getpid(), {daemon.pid()}).empty());

  marks.run_id = "members-test-1";
  EXPECT_TRUE(strays_of(::getpid(), {}, marks).empty());
  EXPECT_TRUE(all_members(marks, {}).empty());
}

TEST(Members, DescendantsOfAStrayComeWithIt) {
  const auto [in, out] = testing_proc::make_pipe();
  const auto [heard, told] = testing_proc::make_pipe();
  const int say = told.get();
  const std::array<int, 2> ends{in.get(), out.get()};
  // The stray holds the pipe; its child bears no mark at all, nor does that one's.
  const Child stray([&] {
    const Child below([&] {
      for (const int end : ends) ::close(end);
      ::setsid();
      const Child lowest([&] {
        testing_proc::tell(say, ::getpid());
        return testing_proc::sleep_forever();
      });
      return testing_proc::sleep_forever();
    });
    return testing_proc::sleep_forever();
  });
  const pid_t lowest = testing_proc::hear(heard.get());
  ASSERT_GT(lowest, 0);
  RunMarks marks;
  marks.pipes = {inode_of(in.get())};
  std::vector<pid_t> expected{stray.pid(), testing_proc::stat_of(lowest).ppid, lowest};
  std::ranges::sort(expected);
  EXPECT_EQ(pids_of(strays_of(::getpid(), {}, marks)), expected);
  EXPECT_EQ(pids_of(all_members(marks, {})), expected);
}

TEST(Members, AForkThatEffacedItsEnvironmentIsKnownByItsImage) {
  const auto [heard, told] = testing_proc::make_pipe();
  const auto [held, hold] = testing_proc::make_pipe();
  const int say = told.get();
  const int wait = held.get();
  const auto shell = [say, wait] {
    ::setsid();
    ::dup2(say, STDOUT_FILENO);
    ::dup2(wait, STDIN_FILENO);
    return run_program({"/bin/sh", "-c", "exec 5<&0; (read x <&5) & echo run; read y <&5"}, {});
  };
  const Subreaper reaper;
  Child main(shell);
  ASSERT_NE(testing_proc::hear(heard.get()), -1);
  Child same_program(shell);
  ASSERT_NE(testing_proc::hear(heard.get()), -1);
  RunMarks marks;
  marks.image = image_of(main.pid());
  if (marks.image == 0) GTEST_SKIP() << "addresses are not randomized here";
  const std::vector<pid_t> forked = children_of(main.pid());
  const std::vector<pid_t> foreign = children_of(same_program.pid());
  ASSERT_EQ(forked.size(), 1U);
  ASSERT_EQ(foreign.size(), 1U);
  ::kill(main.pid(), SIGKILL);
  main.reap();
  const Adopted stray(forked[0]);
  ::kill(same_program.pid(), SIGKILL);
  same_program.reap();
  const Adopted other(foreign[0]);
  EXPECT_TRUE(has_mark(marks, stray.pid()));
  EXPECT_FALSE(has_mark(marks, other.pid()));
  EXPECT_FALSE(has_mark(marks, ::getpid()));
  EXPECT_EQ(pids_of(strays_of(::getpid(), {}, marks)), std::vector<pid_t>{stray.pid()});
}

TEST(Members, TheDeadAreNotNamed) {
  const auto [in, out] = testing_proc::make_pipe();
  const Child zombie([] { return 0; });
  zombie.await_zombie();
  RunMarks marks;
  marks.main = zombie.pid();
  marks.main_start_ticks = testing_proc::stat_of(zombie.pid()).start_ticks;
  EXPECT_TRUE(has_mark(marks, zombie.pid()));
  EXPECT_TRUE(strays_of(::getpid(), {}, marks).empty());
  EXPECT_TRUE(all_members(marks, {}).empty());
  EXPECT_TRUE(unknown_strays(::getpid(), {}).empty());
  EXPECT_EQ(image_of(zombie.pid()), 0U);
}

TEST(Members, NoMarksMatchNobody) {
  const Child child([] { return testing_proc::sleep_forever(); });
  EXPECT_FALSE(has_mark(RunMarks{}, child.pid()));
  EXPECT_TRUE(all_members(RunMarks{}, {}).empty());
}

}  // namespace
}  // namespace usvc
