// usvc shutdown and init: the instance goes and comes back with what was wanted.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using ShutdownInitTest = CliTest;

TEST_F(ShutdownInitTest, NothingIsLeftAfterShutdown) {
  start({"--name", "web", "--stop-timeout", "0.5", "--", probe(), "fork-daemon", "--", "setsid-child", "--", "serve"});
  logged_pid("web", "setsid-child");
  ok({"shutdown"});
  EXPECT_TRUE(wait_until(2s, [&] { return processes_of(directory()).empty(); })) << list(processes_of(directory()));
}

TEST_F(ShutdownInitTest, InitBringsBackWhatWasWantedAndNothingElse) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  start({"--name", "stopped", "--", probe(), "serve"});
  start({"--name", "ended", "-1", "--", probe(), "print", "done"});
  stop({"stopped"});
  ASSERT_TRUE(wait_state("ended", "stopped"));
  ok({"shutdown"});
  EXPECT_TRUE(own_processes().empty());
  ok({"init"});
  EXPECT_TRUE(wait_state("web-1", "running") && wait_state("web-2", "running"));
  EXPECT_EQ(status("stopped").state, "stopped");
  EXPECT_EQ(status("ended").state, "stopped");
  EXPECT_EQ(status("ended").runs, 1);
  EXPECT_EQ(status("web-1").deaths, 0) << "a shutdown is no death";
  EXPECT_EQ(status("web-1").runs, 2);
}

TEST_F(ShutdownInitTest, FirstStartBringsThemBackToo) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  start({"--name", "other", "--", probe(), "serve"});
  EXPECT_TRUE(wait_state("web", "running"));
}

TEST_F(ShutdownInitTest, InitSaysThatItRunsAlready) {
  ok({"init"});
  const pid_t manager = manager_pid();
  const pid_t keeper = keeper_pid();
  EXPECT_GT(manager, 0);
  const Output output = ok({"init"});
  EXPECT_TRUE(contains(output.all(), "already")) << output;
  EXPECT_EQ(manager_pid(), manager);
  EXPECT_EQ(keeper_pid(), keeper);
}

TEST_F(ShutdownInitTest, ShutdownWithoutAnInstanceStartsNone) {
  const Output output = run({"shutdown"});
  EXPECT_TRUE(output.status == 0 || output.status == 4) << output;
  EXPECT_TRUE(contains(output.all(), "not running") || contains(output.all(), "no instance")) << output;
  EXPECT_TRUE(own_processes().empty());
}

TEST_F(ShutdownInitTest, DeafJobsAreKilled) {
  start({"--name", "deaf", "--stop-timeout", "0.3", "--", probe(), "ignore", "TERM", "--", "serve"});
  const pid_t pid = pid_of("deaf");
  ok({"shutdown"});
  expect_gone(pid, "the deaf job");
}

TEST_F(ShutdownInitTest, CountsSurvive) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t before = pid_of("web");
  kill_hard(before);
  ASSERT_GT(wait_new_pid("web", before), 0);
  ok({"shutdown"});
  EXPECT_EQ(status("web").deaths, 1);
  ok({"init"});
  ASSERT_TRUE(wait_state("web", "running"));
  EXPECT_EQ(status("web").deaths, 1);
  EXPECT_EQ(status("web").runs, 3);
}

}  // namespace

}  // namespace usvc::test
