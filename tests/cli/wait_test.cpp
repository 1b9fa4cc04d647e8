// usvc wait: blocks until so, and says how it went by its status.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using WaitTest = CliTest;

TEST_F(WaitTest, ForExitReturnsTheJobsStatus) {
  start({"--name", "web", "-1", "--", probe(), "wait-file", path("go"), "--", "exit", "42"});
  const auto waiter = launch({"wait", "web", "--for", "exit"});
  EXPECT_FALSE(waiter->wait_output(300ms, [&](const Output& o) { return o.status != -1; }));
  write("go", "");
  const Output output = waiter->finish(10s);
  EXPECT_EQ(output.status, 42) << output;
}

TEST_F(WaitTest, ForExitOfAKilledJob) {
  start({"--name", "web", "-1", "--", probe(), "serve"});
  const auto waiter = launch({"wait", "web", "--for", "exit"});
  kill_hard(pid_of("web"));
  EXPECT_EQ(waiter->finish(10s).status, 128 + 9);
}

TEST_F(WaitTest, ForStopped) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  const auto waiter = launch({"wait", "web", "--for", "stopped"});
  stop({"web-1"});
  EXPECT_FALSE(waiter->wait_output(200ms, [](const Output& o) { return o.status != -1; })) << "one still runs";
  stop({"web-2"});
  EXPECT_EQ(waiter->finish(10s).status, 0);
}

TEST_F(WaitTest, WhatIsSoAlreadyReturnsAtOnce) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"wait", "web", "--for", "running"});
  ok({"wait", "web", "--for", "ready"});
  stop({"web"});
  ok({"wait", "web", "--for", "stopped"});
}

TEST_F(WaitTest, ForRunningComesWithTheStart) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  const auto waiter = launch({"wait", "web", "--for", "running"});
  EXPECT_FALSE(waiter->wait_output(200ms, [](const Output& o) { return o.status != -1; }));
  start({"web"});
  EXPECT_EQ(waiter->finish(10s).status, 0);
}

TEST_F(WaitTest, AConfThatIsNotValidIsToldAsItsState) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  write("h/jobs/web.conf", "[core\n", 0600);
  const json::value reply = json({"wait", "web", "--for", "stopped"});
  EXPECT_EQ(text_of(reply.at("results").at(0).as_object(), "state"), "invalid");
  EXPECT_EQ(text_of(reply.at("results").at(0).as_object(), "state"), status("web").state);
}

TEST_F(WaitTest, TimeoutFails) {
  start({"--name", "web", "--", probe(), "serve"});
  const Output output = fails(1, {"wait", "web", "--for", "stopped", "--timeout", "0.2"});
  EXPECT_TRUE(contains(output.err, "web")) << output;
}

TEST_F(WaitTest, WrongUsageAndNoMatch) {
  fails(2, {"wait"});
  start({"--name", "web", "--", probe(), "serve"});
  fails(3, {"wait", "nosuch"});
  EXPECT_EQ(run({"wait", "web", "--for", "godot"}).status, 2);
  EXPECT_EQ(run({"wait", "web", "--timeout", "x"}).status, 2);
}

}  // namespace

}  // namespace usvc::test
