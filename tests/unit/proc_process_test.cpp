#include <sys/prctl.h>

#include <array>
#include <string>
#include <thread>

#include "proc/process.h"
#include "unit/proc_testing.h"

namespace usvc {
namespace {

using testing_proc::Child;

std::string stat_line(const std::string& comm, const std::string& state = "S") {
  return "4242 (" + comm + ") " + state +
         " 1 4240 4200 34816 4242 4194560 100 200 0 3 70 30 5 6 20 0 1 0 98765 1000000 25 18446744073709551615 1 2 3 4 "
         "5 "
         "0 0 0 0 0 0 0 17 1 0 0 0 0 0 6 7 8 9 10 11 12 256\n";
}

TEST(ParseStat, ReadsTheFieldsWeShow) {
  ProcessStat stat;
  ASSERT_TRUE(parse_stat(stat_line("web"), stat));
  EXPECT_EQ(stat.pid, 4242);
  EXPECT_EQ(stat.comm, "web");
  EXPECT_EQ(stat.state, 'S');
  EXPECT_EQ(stat.ppid, 1);
  EXPECT_EQ(stat.pgrp, 4240);
  EXPECT_EQ(stat.session, 4200);
  EXPECT_EQ(stat.tty_nr, 34816);
  EXPECT_EQ(stat.flags, 4194560U);
  EXPECT_EQ(stat.utime_ticks, 70U);
  EXPECT_EQ(stat.stime_ticks, 30U);
  EXPECT_EQ(stat.threads, 1U);
  EXPECT_EQ(stat.start_ticks, 98765U);
  EXPECT_EQ(stat.rss_bytes, 25U * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(stat.exit_code, -1) << "it lives";
  ASSERT_TRUE(parse_stat(stat_line("web", "Z"), stat));
  EXPECT_EQ(stat.exit_code, 256);
}

TEST(ParseStat, TheNameMayHoldAnything) {
  for (const char* comm : {"a b", "a) R 1 (b", "(", ")", "((", "))", "", " ", "a\nb", ") S 1 2 3", "\xff\x01"}) {
    ProcessStat stat;
    ASSERT_TRUE(parse_stat(stat_line(comm), stat)) << comm;
    EXPECT_EQ(stat.comm, comm);
    EXPECT_EQ(stat.ppid, 1) << comm;
    EXPECT_EQ(stat.start_ticks, 98765U) << comm;
  }
}

TEST(ParseStat, RefusesWhatIsNoStatLine) {
  const std::string numbers = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21";
  for (const std::string& line :
       {std::string(), std::string("\n"), std::string("1"), std::string("1 (a"), std::string("1 (a)"),
        std::string("1 (a) "), std::string("1 (a) S"), ") (" + numbers, "x (a) S" + numbers, "-1 (a) S" + numbers,
        "0 (a) S" + numbers, "1 (a) SS" + numbers, "99999999999 (a) S" + numbers, "1 (a) S x" + numbers,
        "1 (a) S  1" + numbers,
        std::string("1 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 18446744073709551615")}) {
    ProcessStat stat;
    EXPECT_FALSE(parse_stat(line, stat)) << line;
  }
  ProcessStat stat;
  EXPECT_TRUE(parse_stat("1 (a) S" + numbers, stat)) << "the base of the table above";
}

TEST(ParseStat, ATornLineIsNoLine) {
  const std::string whole = stat_line("a) b");
  const std::size_t enough = whole.find(" 25 ") + 2;
  for (std::size_t length = 0; length < enough; ++length) {
    ProcessStat stat;
    EXPECT_FALSE(parse_stat(whole.substr(0, length), stat)) << length;
  }
}

TEST(ReadStat, OneBufferServesManyProcesses) {
  std::string buffer;
  ProcessStat stat;
  for (const pid_t pid : {::getpid(), ::getppid(), ::getpid()}) {
    ASSERT_TRUE(read_stat(pid, stat, buffer));
    EXPECT_EQ(stat.pid, pid);
  }
  EXPECT_EQ(stat.ppid, ::getppid());
  EXPECT_EQ(stat.session, ::getsid(0));
  EXPECT_EQ(stat.state, 'R');
  EXPECT_FALSE(read_stat(-1, stat, buffer));
  EXPECT_FALSE(read_stat(0, stat, buffer));
}

TEST(ReadStat, AChildWithAnAwkwardName) {
  const auto [heard, told] = testing_proc::make_pipe();
  const int out = told.get();
  const Child child([out] {
    ::prctl(PR_SET_NAME, "x) R 1 (\ny");
    testing_proc::tell(out, 1);
    return testing_proc::sleep_forever();
  });
  ASSERT_EQ(testing_proc::hear(heard.get()), 1);
  const ProcessStat stat = testing_proc::stat_of(child.pid());
  EXPECT_EQ(stat.comm, "x) R 1 (\ny");
  EXPECT_EQ(stat.ppid, ::getpid());
}

TEST(ReadStat, ExitCodeOfAZombie) {
  for (const int code : {0, 1, 7, 255}) {
    const Child child([code] { return code; });
    child.await_zombie();
    const ProcessStat stat = testing_proc::stat_of(child.pid());
    EXPECT_EQ(stat.state, 'Z');
    EXPECT_TRUE(is_dead(stat));
    EXPECT_EQ(stat.exit_code, code << 8);
  }
}

TEST(ReadStat, AHiddenExitCodeIsUnknownAndNotZero) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs two users";
  const Child zombie([] { return 5; });
  zombie.await_zombie();
  const pid_t pid = zombie.pid();
  Child reader([pid] {
    if (::setresuid(65534, 65534, 65534) != 0) return 2;
    ProcessStat stat;
    std::string buffer;
    return read_stat(pid, stat, buffer) && stat.state == 'Z' && stat.exit_code == -1 ? 0 : 1;
  });
  EXPECT_EQ(reader.reap(), 0);
}

TEST(Environment, IsTheOneTheProgramWasStartedWith) {
  const auto [heard, told] = testing_proc::make_pipe();
  const auto [held, hold] = testing_proc::make_pipe();
  const int out = told.get();
  const int wait = held.get();
  const Child child([out, wait] {
    ::dup2(wait, STDIN_FILENO);
    // The program says when it runs; standard output outlives the exec.
    ::dup2(out, STDOUT_FILENO);
    const std::array<const char*, 5> argv{"/bin/sh", "-c", "export USVC_RUN=own; echo run; read x", "two words",
                                          nullptr};
    const std::array<const char*, 5> env{"USVC_RUNNER=no", "USVC_RUN=run=17", "EMPTY=", "USVC_RUN=later", nullptr};
    ::execve("/bin/sh", const_cast<char* const*>(argv.data()), const_cast<char* const*>(env.data()));
    return 98;
  });
  ASSERT_GT(testing_proc::hear(heard.get()), 0);
  EXPECT_EQ(environ_value(child.pid(), "USVC_RUN"), "run=17");
  EXPECT_EQ(environ_value(child.pid(), "EMPTY"), "");
  EXPECT_EQ(environ_value(child.pid(), "USVC"), std::nullopt);
  EXPECT_EQ(read_cmdline(child.pid()),
            std::string("/bin/sh\0-c\0export USVC_RUN=own; echo run; read x\0two words\0", 59));
}

TEST(Environment, OfAnExecWithALargeOneIsReadToItsEnd) {
  const auto [heard, told] = testing_proc::make_pipe();
  const auto [held, hold] = testing_proc::make_pipe();
  const int out = told.get();
  const int wait = held.get();
  const Child child([out, wait] {
    ::dup2(wait, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    const std::string large = "LARGE=" + std::string(100'000, 'x');
    const std::array<const char*, 4> argv{"/bin/sh", "-c", "echo run; read x", nullptr};
    const std::array<const char*, 3> env{large.c_str(), "USVC_RUN=last", nullptr};
    ::execve("/bin/sh", const_cast<char* const*>(argv.data()), const_cast<char* const*>(env.data()));
    return 98;
  });
  ASSERT_GT(testing_proc::hear(heard.get()), 0);
  EXPECT_EQ(environ_value(child.pid(), "USVC_RUN"), "last");
}

TEST(Environment, OfNobodyIsNothing) {
  Child child([] { return 0; });
  const pid_t pid = child.pid();
  child.reap();
  EXPECT_EQ(environ_value(pid, "PATH"), std::nullopt);
  EXPECT_EQ(read_cmdline(pid), std::nullopt);
}

TEST(Identity, OfOurselves) {
  const auto self = identify(::getpid());
  ASSERT_TRUE(self);
  EXPECT_EQ(self->pid, ::getpid());
  EXPECT_EQ(self->boot_id.size(), 36U);
  EXPECT_TRUE(alive(*self));
  Identity other = *self;
  ++other.start_ticks;
  EXPECT_FALSE(alive(other));
  other = *self;
  other.boot_id = "another boot";
  EXPECT_FALSE(alive(other));
}

TEST(Identity, AZombieDoesNotLiveAndAReapedChildIsNobody) {
  Child child([] { return 0; });
  child.await_zombie();
  const auto zombie = identify(child.pid());
  ASSERT_TRUE(zombie);
  EXPECT_FALSE(alive(*zombie));
  child.reap();
  EXPECT_FALSE(alive(*zombie));
}

TEST(Identity, LivesOnWhenItsMainThreadEnds) {
  const auto [heard, told] = testing_proc::make_pipe();
  const int out = told.get();
  const Child child([out] {
    const pid_t self = ::getpid();
    std::thread([out, self] {
      ProcessStat stat;
      std::string buffer;
      while (read_stat(self, stat, buffer) && stat.state != 'Z') std::this_thread::yield();
      testing_proc::tell(out, 1);
      testing_proc::sleep_forever();
    }).detach();
    ::syscall(SYS_exit, 0);
    return 0;
  });
  ASSERT_EQ(testing_proc::hear(heard.get()), 1);
  const ProcessStat stat = testing_proc::stat_of(child.pid());
  EXPECT_EQ(stat.state, 'Z');
  EXPECT_FALSE(is_dead(stat));
  EXPECT_TRUE(alive(*identify(child.pid())));
}

TEST(KernelState, Words) {
  struct Case {
    char state;
    unsigned flags;
    const char* word;
  };
  for (const Case& test :
       {Case{'R', 0, "running"}, Case{'S', 0, "asleep"}, Case{'I', 0, "asleep"}, Case{'D', 0, "asleep*"},
        Case{'D', 0x800, "paging"}, Case{'S', 0x800, "asleep"}, Case{'t', 0, "traced"}, Case{'T', 0, "traced"},
        Case{'Z', 0, "zombie"}, Case{'X', 0, "zombie"}, Case{'W', 0, "paging"}}) {
    EXPECT_EQ(kernel_state(test.state, test.flags), test.word) << test.state;
  }
}

TEST(ClockTicks, AreTheSystems) {
  EXPECT_EQ(clock_ticks(), static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
}

}  // namespace
}  // namespace usvc
