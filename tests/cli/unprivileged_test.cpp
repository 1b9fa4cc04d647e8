// The spine as an ordinary user. When the tests themselves run as one, every test does this.
#include <unistd.h>

#include <csignal>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class UnprivilegedTest : public CliTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    CliTest::SetUp();
    be_user(nobody);
  }
};

TEST_F(UnprivilegedTest, Spine) {
  start({"-n", "2", "-g", "web", "--", probe(), "print", "hello", "--", "report", "--", "serve"});
  ASSERT_TRUE(wait_log("web-1", "}\n"));
  EXPECT_TRUE(contains(log_text("web-1"), "\"uid\":65534,\"gid\":65534")) << log_text("web-1");
  const pid_t before = pid_of("web-1");
  kill_hard(before);
  ASSERT_GT(wait_new_pid("web-1", before), 0);
  EXPECT_EQ(status("web-1").deaths, 1);
  EXPECT_TRUE(contains(ok({"events", "web-1"}).out, "KILL"));
  ok({"signal", "web-2", "CONT"});
  ok({"restart", "web-2"});
  stop({"web"});
  ok({"clean", "web"});
  EXPECT_EQ(names({}), Args{});
}

TEST_F(UnprivilegedTest, StopKillsTheWholeTree) {
  start({"--name", "tree", "--stop-timeout", "0.5", "--", probe(), "fork-daemon", "--", "setsid-child", "--ignore",
         "TERM", "--", "child", "--ignore", "TERM", "--", "serve"});
  const pid_t daemon = logged_pid("tree", "daemon");
  const pid_t own_session = logged_pid("tree", "setsid-child");
  const pid_t child = logged_pid("tree", "child");
  stop({"tree"});
  expect_gone(daemon, "the daemon");
  expect_gone(own_session, "the child in its own session");
  expect_gone(child, "the child");
}

// What was asked for by name; of what the caller's shell has the job gets what can be had.
TEST_F(UnprivilegedTest, NicenessAndLimitsThatCantBeHadAreToldNotPassedOver) {
  const std::string nice = "cannot have niceness -5: Permission denied";
  const std::string limit = "cannot have limit nofile 64 999999999: Operation not permitted";
  EXPECT_TRUE(contains(fails(1, {"start", "--nice", "-5", "--", probe(), "serve"}).err, nice));
  EXPECT_TRUE(contains(fails(1, {"start", "--limit", "nofile 64 999999999", "--", probe(), "serve"}).err, limit));
  EXPECT_EQ(names({}), Args{});
  start({"--name", "web", "--nice", "7", "--limit", "nofile 64 65", "--", probe(), "report", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "}\n"));
  EXPECT_TRUE(contains(log_text("web"), "\"nice\":7")) << log_text("web");
  EXPECT_TRUE(contains(fails(1, {"conf", "web", "nice", "-5"}).err, nice));
  EXPECT_TRUE(contains(fails(1, {"conf", "web", "limit", "nofile 64 999999999"}).err, limit));
  EXPECT_TRUE(events_of("web", "error").empty());
  // By hand, and from another machine's file.
  stop({"web"});
  write(conf_path("web"), read(conf_path("web")) + "\tlimit = nofile 64 999999999\n", 0600);
  ok({"start", "web"});
  ASSERT_EQ(events_of("web", "error").size(), 1U);
  EXPECT_TRUE(contains(text_of(events_of("web", "error").front(), "message"), limit));
  ok({"load", write("set", "[group \"g\"]\n\tcmd = " + probe() + "\n\targ = serve\n\tnice = -5\n")});
  ASSERT_EQ(events_of("g-1", "error").size(), 1U);
  EXPECT_TRUE(contains(text_of(events_of("g-1", "error").front(), "message"), nice));
}

TEST_F(UnprivilegedTest, ManagerKillIsNotNoticed) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t pid = pid_of("web");
  const pid_t manager = manager_pid();
  kill_hard(manager);
  EXPECT_TRUE(wait_until(10s, [&] { return manager_pid() > 0 && manager_pid() != manager; }));
  EXPECT_EQ(pid_of("web"), pid);
}

TEST_F(UnprivilegedTest, StatusNeedsNoThread) {
  without_leak_sanitizer();  // that needs one
  start({"--name", "web", "--", probe(), "serve"});
  const Output output = shell("ulimit -u 1; exec usvc status");  // usvc's own are more
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_TRUE(contains(output.out, "asleep")) << output;
}

TEST_F(UnprivilegedTest, ShutdownAndInit) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  ok({"init"});
  EXPECT_TRUE(wait_state("web", "running"));
}

TEST_F(UnprivilegedTest, AnotherUsersInstanceIsNotToBeSpokenTo) {
  start({"--name", "web", "--", probe(), "serve"});
  const std::string socket = text_of(vars(), "socket");
  // Root may open the socket; the peer's uid is checked all the same.
  be_user(0);
  if (!exists("/usr/bin/curl")) GTEST_SKIP() << "curl is not installed";
  const Output output =
      run_program({"/usr/bin/curl", "-s", "-m", "5", "-X", "POST", "--unix-socket", socket, "http://u/v1/shutdown"});
  be_user(nobody);
  EXPECT_EQ(status("web").state, "running") << output;
}

}  // namespace

}  // namespace usvc::test
