#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "base/signals.h"
#include "job/exit_status.h"
#include "job/restart.h"

namespace usvc {
namespace {

siginfo_t child_info(int code, int status) {
  siginfo_t info{};
  info.si_signo = SIGCHLD;
  info.si_code = code;
  info.si_status = status;
  return info;
}

TEST(ExitStatus, AllExitCodes) {
  for (int code = 0; code < 256; ++code) {
    const ExitStatus status = ExitStatus::from(child_info(CLD_EXITED, code));
    EXPECT_EQ(status, ExitStatus::from_wait_status(code << 8)) << code;
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.signal(), std::nullopt);
    EXPECT_FALSE(status.dumped_core());
    EXPECT_EQ(status.success(), code == 0);
    EXPECT_EQ(status.is_death(false), code != 0);
    EXPECT_FALSE(status.is_death(true));
    EXPECT_EQ(status.shell_status(), code);
    EXPECT_EQ(status.describe(), "exit " + std::to_string(code));
  }
}

TEST(ExitStatus, AllSignals) {
  for (int signal = 1; signal < NSIG; ++signal) {
    for (const bool core : {false, true}) {
      const ExitStatus status = ExitStatus::from(child_info(core ? CLD_DUMPED : CLD_KILLED, signal));
      EXPECT_EQ(status, ExitStatus::from_wait_status(signal | (core ? 0x80 : 0))) << signal;
      EXPECT_EQ(status.code(), std::nullopt);
      EXPECT_EQ(status.signal(), signal);
      EXPECT_EQ(status.dumped_core(), core);
      EXPECT_FALSE(status.success());
      EXPECT_TRUE(status.is_death(false));
      EXPECT_FALSE(status.is_death(true));
      EXPECT_EQ(status.shell_status(), 128 + signal);
      EXPECT_EQ(status.describe(), "killed by " + signal_name(signal) + (core ? ", core dumped" : ""));
    }
  }
}

TEST(ExitStatus, NobodySawIt) {
  const ExitStatus status;
  EXPECT_EQ(status.value(), ExitStatus::Value(ExitStatus::Unknown{}));
  EXPECT_FALSE(status.success());
  EXPECT_FALSE(status.is_death(false));
  EXPECT_FALSE(status.is_death(true));
  EXPECT_EQ(status.shell_status(), 125);
  EXPECT_EQ(status.describe(), "unknown");
}

TEST(ExitStatus, NotStarted) {
  const ExitStatus status(ExitStatus::NotStarted{"./serve: Permission denied"});
  EXPECT_FALSE(status.success());
  EXPECT_TRUE(status.is_death(false));
  EXPECT_EQ(status.code(), std::nullopt);
  EXPECT_EQ(status.shell_status(), 126);
  EXPECT_EQ(status.describe(), "not started: ./serve: Permission denied");
}

TEST(ExitStatus, WhatIsNoEndIsUnknown) {
  for (const int code : {int{CLD_STOPPED}, int{CLD_CONTINUED}, int{CLD_TRAPPED}, 0, 99}) {
    EXPECT_EQ(ExitStatus::from(child_info(code, SIGSTOP)), ExitStatus()) << code;
  }
  siginfo_t other = child_info(CLD_EXITED, 0);
  other.si_signo = 0;  // waitid() with WNOHANG leaves this when nothing has ended
  EXPECT_EQ(ExitStatus::from(other), ExitStatus());
  EXPECT_EQ(ExitStatus::from_wait_status(0x137f), ExitStatus()) << "stopped";
  EXPECT_EQ(ExitStatus::from_wait_status(0xffff), ExitStatus()) << "continued";
}

// What the kernel really says, to be sure that the table above is not only agreed with itself.
TEST(ExitStatus, OfRealChildren) {
  const auto end_of = [](auto body) {
    const pid_t child = ::fork();
    if (child == 0) {
      // The test must not leave a core file behind.
      const rlimit none{0, 0};
      (void)::setrlimit(RLIMIT_CORE, &none);
      body();
      ::_exit(99);
    }
    siginfo_t info{};
    EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED), 0);
    return ExitStatus::from(info);
  };
  EXPECT_EQ(end_of([] { ::_exit(0); }).describe(), "exit 0");
  EXPECT_EQ(end_of([] { ::_exit(7); }).describe(), "exit 7");
  EXPECT_EQ(end_of([] { (void)::raise(SIGKILL); }).describe(), "killed by KILL");
}

TEST(WantsRestart, FollowsThePolicy) {
  const ExitStatus good(ExitStatus::Exited{0});
  const ExitStatus bad(ExitStatus::Exited{1});
  const ExitStatus killed(ExitStatus::Killed{SIGTERM, false});
  const ExitStatus not_started(ExitStatus::NotStarted{"why"});
  const ExitStatus unknown;
  for (const ExitStatus& status : {good, bad, killed, not_started, unknown}) {
    EXPECT_TRUE(wants_restart(RestartPolicy::always, status)) << status.describe();
    EXPECT_FALSE(wants_restart(RestartPolicy::never, status)) << status.describe();
    EXPECT_EQ(wants_restart(RestartPolicy::on_failure, status), status != good) << status.describe();
  }
}

}  // namespace
}  // namespace usvc
