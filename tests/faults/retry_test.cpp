// A request whose answer was lost is answered when it is asked again, whatever has changed meanwhile.
#include "faults/fixture.h"

namespace usvc::test {

namespace {

class RetryTest : public FaultTest {};

TEST_F(RetryTest, AStartThatIsDoneDoesNotDependOnTheSettings) {
  start({"--name", "other", "--", probe(), "serve"});
  arm("manager.answer");
  const auto client = launch({"start", "--name", "web", "--", probe(), "serve"});
  const pid_t stopped = stopped_at("manager.answer");
  ASSERT_GT(stopped, 0);
  write("h/usvc.conf", "[start\n", 0600);
  kill_hard(stopped);
  const Output output = client->finish(40s);
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(status("web").runs, 1) << status("web");
}

TEST_F(RetryTest, ARestartThatIsDoneDoesNotDependOnTheConf) {
  start({"--name", "web", "--", probe(), "serve"});
  arm("manager.answer");
  const auto client = launch({"restart", "web"});
  const pid_t stopped = stopped_at("manager.answer");
  ASSERT_GT(stopped, 0);
  const std::string conf = read(conf_path("web"));
  write("h/jobs/web.conf", "[core\n", 0600);
  kill_hard(stopped);
  const Output output = client->finish(40s);
  EXPECT_EQ(output.status, 0) << output;
  write("h/jobs/web.conf", conf, 0600);
  EXPECT_EQ(status("web").runs, 2) << status("web");
}

TEST_F(RetryTest, WhatWasStartedIsNotedByTheNextManager) {
  ok({"init"});
  arm("manager.running");
  const auto client = launch({"start", "--name", "web", "--", "/bin/sleep", "1000"});
  const pid_t stopped = stopped_at("manager.running");
  ASSERT_GT(stopped, 0);
  kill_hard(stopped);
  EXPECT_EQ(client->finish(40s).status, 0);
  EXPECT_TRUE(wait_until(10s, [&] { return status("web").raw.at("md5").is_string(); })) << status("web");
}

TEST_F(RetryTest, WhatWasNotStartedIsNotNotedByTheNextManager) {
  start({"--name", "web", "--", "/bin/sleep", "1000"});
  const auto md5 = [&] { return status("web").raw.at("md5"); };
  ASSERT_TRUE(wait_until(10s, [&] { return md5().is_string(); })) << status("web");
  const auto before = md5();
  ok({"conf", "web", "cmd", "/bin/cat"});
  const pid_t manager = manager_process();
  kill_hard(manager);
  start({"--name", "other", "--", "/bin/cat"});
  ASSERT_TRUE(wait_until(10s, [&] { return status("other").raw.at("md5").is_string(); })) << status("other");
  EXPECT_EQ(md5(), before);
}

TEST_F(RetryTest, ALoadMakesItsCopiesOnce) {
  const std::string set = write("set", "[group \"web\"]\n\tcmd = " + probe() + "\n\targ = serve\n\tcopies = 4\n");
  ok({"init"});
  arm("manager.conf-written", 3);
  const auto client = launch({"load", set});
  const pid_t stopped = stopped_at("manager.conf-written");
  ASSERT_GT(stopped, 0);
  kill_hard(stopped);
  const Output output = client->finish(40s);
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(names({}), (Args{"web-1", "web-2", "web-3", "web-4"}));
}

}  // namespace

}  // namespace usvc::test
