// Both killed at once, or the power gone: the next start brings every wanted job back, and never two copies.
#include <csignal>
#include <utility>

#include "cli/cli_test.h"
#include "cli/network.h"

namespace usvc::test {

namespace {

class RecoveryTest : public CliTest {
 protected:
  void kill_both() {
    const pid_t manager = manager_pid();
    const pid_t keeper = keeper_pid();
    // Frozen first: otherwise the survivor of the first kill starts another.
    freeze(keeper);
    freeze(manager);
    kill_hard(manager);
    kill_hard(keeper);
    ASSERT_TRUE(own_processes().empty()) << list(own_processes());
  }
};

TEST_F(RecoveryTest, WantedJobsReturnAndSurvivorsAreEndedBefore) {
  const std::string port = std::to_string(free_port());
  start({"--name", "server", "--", probe(), "count-file", path("starts"), "--", "listen", port});
  start({"--name", "pipes", "--no-tty", "--", probe(), "serve"});
  start({"--name", "deaf", "--stop-timeout", "0.5", "--", probe(), "ignore", "HUP", "TERM", "--", "serve"});
  start({"--name", "stopped", "--", probe(), "serve"});
  stop({"stopped"});
  ASSERT_TRUE(wait_until(5s, [&] { return talk(std::stoi(port), "").has_value(); }));
  const pid_t server = pid_of("server");
  const pid_t pipes = pid_of("pipes");
  const pid_t deaf = pid_of("deaf");
  kill_both();
  ok({"init"});
  for (const auto& [name, before] : {std::pair{"server", server}, {"pipes", pipes}, {"deaf", deaf}}) {
    EXPECT_GT(wait_new_pid(name, before, 20s), 0);
  }
  EXPECT_EQ(status("stopped").state, "stopped");
  expect_gone(server, "the first server");
  expect_gone(pipes, "the first job with pipes");
  expect_gone(deaf, "the first deaf job");
  // A second copy that met the first would have found the port in use.
  EXPECT_FALSE(contains(log_text("server"), "port in use")) << log_text("server");
  EXPECT_TRUE(wait_until(5s, [&] { return contains(talk(std::stoi(port), "").value_or(""), "pid "); }));
  EXPECT_EQ(count_of(read(path("starts")), "start\n"), 2U);
  EXPECT_EQ(job_processes().size(), 3U) << list(job_processes());
}

TEST_F(RecoveryTest, TreesOfSurvivorsAreEndedToo) {
  start({"--name", "tree", "--stop-timeout", "1", "--", probe(), "fork-daemon", "--", "setsid-child", "--ignore",
         "TERM", "--", "serve"});
  const pid_t daemon = logged_pid("tree", "daemon");
  const pid_t child = logged_pid("tree", "setsid-child");
  const pid_t before = pid_of("tree");
  kill_both();
  ok({"init"});
  ASSERT_GT(wait_new_pid("tree", before, 20s), 0);
  expect_gone(daemon, "the first run's daemon");
  expect_gone(child, "the first run's child");
}

// Survivors are told by their marks, in a search over every process of the user: none but theirs may be ended by it.
TEST_F(RecoveryTest, BystandersAreLeftAlone) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t survivor = pid_of("web");
  const std::string environ = "/proc/" + std::to_string(survivor) + "/environ";
  const auto bystander = launch_program({probe(), "keep-file", environ, "--", "serve"});
  ASSERT_TRUE(bystander->wait_output(5s, [](const Output& o) { return contains(o.out, "keeping"); }));
  const auto same_program = launch_program({probe(), "print", "up", "--", "serve"});
  ASSERT_TRUE(same_program->wait_output(5s, [](const Output& o) { return contains(o.out, "up"); }));
  const auto reader = launch_program({"/usr/bin/tail", "-f", status("web").log});
  kill_both();
  ok({"init"});
  ASSERT_GT(wait_new_pid("web", survivor, 20s), 0);
  EXPECT_TRUE(alive(bystander->pid())) << "one that had read the environment";
  EXPECT_TRUE(alive(same_program->pid())) << "one that runs the same program";
  EXPECT_TRUE(alive(reader->pid())) << "one that reads the log";
}

TEST_F(RecoveryTest, JobsThatEndedMeanwhileComeBackToo) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t before = pid_of("web");
  kill_both();
  (void)::kill(before, SIGKILL);  // the hang-up may have been quicker
  ASSERT_TRUE(wait_until(10s, [&] { return !alive(before); }));
  ok({"init"});
  EXPECT_GT(wait_new_pid("web", before), 0);
}

TEST_F(RecoveryTest, OnceJobThatWasCutOffIsNotForgotten) {
  start({"--name", "once", "-1", "--", probe(), "serve"});
  const pid_t before = pid_of("once");
  kill_both();
  ok({"init"});
  EXPECT_TRUE(wait_until(10s, [&] { return !alive(before); }));
  EXPECT_EQ(status("once").name, "once");
}

TEST_F(RecoveryTest, ReadingCommandsWorkMeanwhile) {
  start({"--name", "web", "--", probe(), "print", "hello", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "hello\n"));
  kill_both();
  EXPECT_EQ(names({}), Args{"web"});
  ok({"status"});
  EXPECT_EQ(ok({"log", "web"}).out, "hello\n");
  ok({"why", "web"});
  EXPECT_TRUE(vars().at("manager_pid").is_null());
  EXPECT_TRUE(own_processes().empty()) << list(own_processes());
  ok({"init"});
}

TEST_F(RecoveryTest, WhyTellsThatTheJobComesBack) {
  start({"--name", "web", "--", probe(), "serve"});
  start({"--name", "once", "-1", "--", probe(), "serve"});
  const pid_t before = pid_of("web");
  kill_both();
  const std::string why = ok({"why", "web"}).out;
  EXPECT_TRUE(contains(why, "usvc starts it again with the instance: usvc init")) << why;
  EXPECT_FALSE(contains(why, "does not start it again")) << why;
  EXPECT_TRUE(contains(ok({"why", "once"}).out, "it is to run once only")) << ok({"why", "once"});
  ok({"init"});
  EXPECT_GT(wait_new_pid("web", before), 0);
  EXPECT_TRUE(wait_state("once", "stopped"));
  ok({"shutdown"});
  const std::string after = ok({"why", "web"}).out;
  EXPECT_TRUE(contains(after, "as its instance is not") && contains(after, "usvc starts it again with")) << after;
}

}  // namespace

}  // namespace usvc::test
