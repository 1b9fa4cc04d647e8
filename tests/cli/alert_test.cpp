// Alerts: whoever is named hears of a death, with the facts, and not more often than is good.
#include "cli/cli_test.h"
#include "cli/network.h"

namespace usvc::test {

namespace {

class AlertTest : public CliTest {
 protected:
  // A command that leaves what it was told in PREFIX.env and PREFIX.stdin.
  std::string recorder(const std::string& name) {
    const std::string prefix = path(name);
    return write(name + ".sh",
                 "#!/bin/sh\nenv > " + prefix + ".env\ncat > " + prefix + ".stdin\necho done >> " + prefix + ".count\n",
                 0755);
  }
  bool wait_recorded(const std::string& name) {
    return wait_until(10s, [&] { return !read(path(name) + ".count").empty(); });
  }
};

TEST_F(AlertTest, CommandGetsTheFactsAndTheLastLines) {
  start({"--name", "web", "-1", "-a", recorder("alert"), "--", probe(), "flood", "6000", "60", "--", "wait-file",
         path("go"), "--", "exit", "3"});
  write("go", "");
  ASSERT_TRUE(wait_recorded("alert"));
  EXPECT_TRUE(contains("\n" + read(path("alert.env")), "\nUSVC_JOB=web\n")) << read(path("alert.env"));
  const auto lines = lines_of(read(path("alert.stdin")));
  ASSERT_EQ(lines.size(), 50U);
  EXPECT_TRUE(lines.front().starts_with("51 ")) << lines.front();
  EXPECT_TRUE(lines.back().starts_with("100 ")) << lines.back();
  EXPECT_TRUE(wait_until(5s, [&] { return events_of("web", "alert").size() == 1; }));
}

TEST_F(AlertTest, NoneForAnEndThatWasAskedFor) {
  start({"--name", "web", "-a", recorder("alert"), "--", probe(), "serve"});
  stop({"web"});
  start({"--name", "fine", "-1", "-a", recorder("fine"), "--", probe(), "exit", "0"});
  ASSERT_TRUE(wait_state("fine", "stopped"));
  ok({"shutdown"});
  EXPECT_FALSE(exists(path("alert.count")));
  EXPECT_FALSE(exists(path("fine.count")));
}

TEST_F(AlertTest, AtMostOneAMinute) {
  start({"--name", "web", "--no-runaway-protect", "-a", recorder("alert"), "--", probe(), "wait-file", path("go"), "--",
         "exit", "3"});
  write("go", "");
  ASSERT_TRUE(wait_until(20s, [&] { return status("web").deaths > 10; }));
  ASSERT_TRUE(wait_recorded("alert"));
  stop({"web"});
  EXPECT_EQ(read(path("alert.count")), "done\n");
}

TEST_F(AlertTest, ANewJobOfAnOldNameIsNotHeldBack) {
  for (const std::string file : {"one", "two"}) {
    start({"--name", "web", "--once", "--settle", "0", "-a", recorder(file), "--", probe(), "exit", "3"});
    EXPECT_TRUE(wait_recorded(file));
    ok({"clean", "web"});
  }
}

TEST_F(AlertTest, SettingsSayHowOftenAndHowMuch) {
  ok({"init"});
  write("h/usvc.conf", "[alert]\n\tpause = 0\n\tlines = 2\n", 0600);
  start({"--name", "web", "--no-runaway-protect", "-a", recorder("alert"), "--", probe(), "flood", "600", "60", "--",
         "wait-file", path("go"), "--", "exit", "3"});
  write("go", "");
  EXPECT_TRUE(wait_until(20s, [&] { return lines_of(read(path("alert.count"))).size() >= 3; }));
  stop({"web"});
  EXPECT_LE(lines_of(read(path("alert.stdin"))).size(), 2U);
}

TEST_F(AlertTest, SeveralReceiversAllHear) {
  start({"--name", "web", "-1", "-a", recorder("one"), "-a", recorder("two"), "--", probe(), "serve"});
  kill_hard(pid_of("web"));
  EXPECT_TRUE(wait_recorded("one"));
  EXPECT_TRUE(wait_recorded("two"));
}

TEST_F(AlertTest, ReceiverThatHangsHoldsUpNothing) {
  const std::string hanging = write("hang.sh", "#!/bin/sh\nexec " + probe() + " ignore TERM -- serve\n", 0755);
  start({"--name", "web", "-a", hanging, "--", probe(), "serve"});
  const pid_t before = pid_of("web");
  kill_hard(before);
  EXPECT_GT(wait_new_pid("web", before, 5s), 0);
  ok({"stop", "web"}, {.deadline = 10s});
}

TEST_F(AlertTest, ReceiverThatCannotBeRunIsToldInTheJournal) {
  start({"--name", "web", "-1", "-a", path("nosuch"), "--", probe(), "serve"});
  kill_hard(pid_of("web"));
  EXPECT_TRUE(wait_until(10s, [&] {
    return contains(ok({"--json", "events"}).out, path("nosuch"));
  })) << ok({"--json", "events"}).out;
}

TEST_F(AlertTest, UrlIsPostedJson) {
  if (!exists("/usr/bin/curl")) GTEST_SKIP() << "curl is not installed";
  Receiver receiver;
  start({"--name", "web", "-1", "-a", "http://127.0.0.1:" + std::to_string(receiver.port()) + "/hook", "--", probe(),
         "print", "last words", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "last words"));
  kill_hard(pid_of("web"));
  const auto request = receiver.receive(10s);
  ASSERT_TRUE(request.has_value());
  EXPECT_TRUE(request->starts_with("POST /hook ")) << *request;
  boost::system::error_code error;
  const auto body = json::parse(request->substr(request->find("\r\n\r\n") + 4), error);
  ASSERT_TRUE(!error && body.is_object()) << *request;
  EXPECT_TRUE(contains(json::serialize(body), "web")) << *request;
  EXPECT_TRUE(contains(json::serialize(body), "KILL")) << *request;
}

}  // namespace

}  // namespace usvc::test
