// usvc signal: to the main processes, and to them only.
#include <csignal>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using SignalTest = CliTest;

TEST_F(SignalTest, EverySpellingArrives) {
  start({"--name", "web", "--", probe(), "catch", "USR1", "--", "serve"});
  const Args table[] = {
      {"signal", "web", "USR1"}, {"signal", "web", "SIGUSR1"},
      {"signal", "web", "usr1"}, {"signal", "web", std::to_string(SIGUSR1)},
      {"kill", "-USR1", "web"},  {"kill", "web", "USR1"},
  };
  std::string expected;
  for (const auto& args : table) {
    ok(args);
    expected += "caught USR1\n";
    EXPECT_TRUE(wait_until(5s, [&] { return log_text("web") == expected; })) << args[1] << "\n" << log_text("web");
  }
  EXPECT_EQ(status("web").runs, 1);
}

TEST_F(SignalTest, AllSelectedJobsGetIt) {
  start({"-n", "3", "-g", "web", "--", probe(), "catch", "HUP", "--", "serve"});
  ok({"signal", "web-1", "web-3", "HUP"});
  EXPECT_TRUE(wait_log("web-1", "caught HUP\n") && wait_log("web-3", "caught HUP\n"));
  EXPECT_EQ(log_text("web-2"), "");
}

TEST_F(SignalTest, OnlyTheMainProcessGetsIt) {
  start({"--name", "web", "--", probe(), "child", "catch", "USR1", "--", "catch", "USR1", "--", "serve"});
  logged_pid("web", "child");
  ok({"signal", "web", "USR1"});
  ASSERT_TRUE(wait_log("web", "caught USR1\n"));
  EXPECT_EQ(count_of(log_text("web"), "caught"), 1U) << log_text("web");
}

TEST_F(SignalTest, DeathByItIsADeath) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t before = pid_of("web");
  ok({"kill", "-KILL", "web"});
  ASSERT_GT(wait_new_pid("web", before), 0);
  EXPECT_EQ(status("web").deaths, 1);
}

TEST_F(SignalTest, JobThatDoesNotRunIsAFailure) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  const Output output = run({"signal", "web", "HUP"});
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "cannot signal web: it is not running")) << output;
}

TEST_F(SignalTest, WrongUsageAndNoMatch) {
  start({"--name", "web", "--", probe(), "serve"});
  fails(2, {"signal"});
  fails(2, {"signal", "web", "NOSUCH"});
  fails(2, {"kill", "-NOSUCH", "web"});
  fails(3, {"signal", "nosuch", "HUP"});
  EXPECT_EQ(status("web").runs, 1);
}

}  // namespace

}  // namespace usvc::test
