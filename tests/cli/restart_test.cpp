// usvc restart, together and rolling.
#include <sys/stat.h>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using RestartTest = CliTest;

TEST_F(RestartTest, GivesANewProcessAndCountsNoDeath) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t before = pid_of("web");
  ok({"restart", "web"});
  const Job job = status("web");
  EXPECT_EQ(job.state, "running");
  EXPECT_NE(job.pid, before);
  expect_gone(before, "the old process");
  EXPECT_EQ(job.deaths, 0);
  EXPECT_EQ(job.runs, 2);
}

TEST_F(RestartTest, ReadsTheConfAgain) {
  start({"--name", "web", "--", probe(), "serve"});
  const Output git =
      run_program({"/usr/bin/git", "config", "-f", conf_path("web"), "--replace-all", "core.arg", "tick"});
  ASSERT_EQ(git.status, 0) << git;
  EXPECT_EQ(status("web").state, "running");
  ok({"restart", "web"});
  EXPECT_TRUE(wait_log("web", "tick 1\n"));
  EXPECT_EQ(status("web").cmd, (Args{probe(), "tick"}));
}

TEST_F(RestartTest, OfAStoppedJobStartsIt) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  ok({"restart", "web"});
  EXPECT_EQ(status("web").state, "running");
}

TEST_F(RestartTest, ThatFailsSaysSo) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"conf", "web", "cmd", path("nosuch")});
  const pid_t before = pid_of("web");
  const Output output = fails(1, {"restart", "web"});
  EXPECT_TRUE(contains(output.err, path("nosuch"))) << output;
  EXPECT_TRUE(contains(output.err, "it was left running as it is")) << output;
  EXPECT_EQ(pid_of("web"), before);
}

TEST_F(RestartTest, AProgramThatIsNoPlainFileStallsNobody) {
  start({"--name", "web", "--", probe(), "serve"});
  for (const mode_t mode : {0755U, 0644U}) {
    const std::string fifo = path("fifo" + std::to_string(mode));
    ASSERT_EQ(::mkfifo(fifo.c_str(), mode), 0);
    ok({"conf", "web", "cmd", fifo});
    EXPECT_TRUE(contains(fails(1, {"restart", "web"}).err, "it was left running as it is"));
  }
  stop({"web"});
  fails(1, {"start", "web"});
}

TEST_F(RestartTest, RollingGoesOneAtATime) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  ok({"restart", "--rolling", "web"}, {.deadline = 30s});
  // For each job after the first: its old process was asked to go only after the one before it ran again.
  std::vector<std::string> order;
  for (const auto& event : events({"web"})) {
    const std::string kind = text_of(event, "event");
    if (kind == "stopping" || kind == "running") order.push_back(text_of(event, "job") + " " + kind);
  }
  ASSERT_EQ(order.size(), 9U) << "three runs, then three times stopping and running";
  EXPECT_EQ(Args(order.begin() + 3, order.end()), (Args{"web-1 stopping", "web-1 running", "web-2 stopping",
                                                        "web-2 running", "web-3 stopping", "web-3 running"}));
}

TEST_F(RestartTest, RollingStopsAtTheFirstFailure) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  const pid_t first = pid_of("web-1");
  const pid_t third = pid_of("web-3");
  ok({"conf", "web-2", "cmd", path("nosuch")});
  const Output output = run({"restart", "--rolling", "web"});
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "web-2")) << output;
  EXPECT_NE(pid_of("web-1"), first);
  EXPECT_EQ(pid_of("web-3"), third);
}

TEST_F(RestartTest, RollingPassesOverAJobThatIsForgottenMeanwhile) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  const pid_t third = pid_of("web-3");
  ok({"conf", "web-1", "pre-cmd", "exec " + probe() + " wait-file " + path("go") + " -- exit 0"});
  const auto rolling = launch({"restart", "--rolling", "web"});
  ASSERT_TRUE(wait_state("web-1", "pre-run"));
  stop({"web-2"});
  ok({"clean", "web-2"});
  write("go", "");
  const Output output = rolling->finish(20s);
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_NE(pid_of("web-3"), third);
  EXPECT_EQ(names({}), (Args{"web-1", "web-3"}));
}

TEST_F(RestartTest, WrongUsageAndNoMatch) {
  fails(2, {"restart"});
  start({"--name", "web", "--", probe(), "serve"});
  fails(3, {"restart", "nosuch"});
}

}  // namespace

}  // namespace usvc::test
