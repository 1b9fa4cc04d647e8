// usvc events: the journal as people and programs read it.
#include <csignal>
#include <set>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using EventsTest = CliTest;

TEST_F(EventsTest, WholeLifeIsTold) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  EXPECT_EQ(journal_names("web"), "starting running stopping exited stopped");
  ok({"clean", "web"});
  EXPECT_EQ(events_of("web", "cleaned").size(), 1U);
}

TEST_F(EventsTest, KindsAreThoseOfTheContract) {
  const std::set<std::string> known{"starting",        "pre-run",        "running", "exited",  "post-run",
                                    "waiting",         "stopping",       "stopped", "cleaned", "alert",
                                    "manager-started", "keeper-started", "adopted", "error"};
  start({"--name", "web", "--pre", "true", "--post", "true", "--", probe(), "serve"});
  const pid_t before = pid_of("web");
  kill_hard(before);
  wait_new_pid("web", before);
  stop({"web"});
  double last = 0;
  for (const auto& event : events()) {
    EXPECT_TRUE(known.contains(text_of(event, "event"))) << json::serialize(event);
    const double time = number_of(event, "t").value_or(0);
    EXPECT_GE(time, last) << json::serialize(event);
    last = time;
    if (!text_of(event, "job").empty()) {
      EXPECT_TRUE(event.contains("run_id")) << json::serialize(event);
    }
  }
  EXPECT_GE(events_of("", "manager-started").size(), 1U);
  EXPECT_GE(events_of("", "keeper-started").size(), 1U);
  EXPECT_GE(events_of("web", "pre-run").size(), 1U);
  EXPECT_GE(events_of("web", "post-run").size(), 1U);
}

TEST_F(EventsTest, ExitTellsHowAndWhatItCost) {
  start({"--name", "code", "-1", "--", probe(), "eat", "32", "--", "spin", "50", "--", "exit", "0"});
  start({"--name", "killed", "-1", "--", probe(), "serve"});
  kill_hard(pid_of("killed"));
  ASSERT_TRUE(wait_state("code", "stopped") && wait_state("killed", "stopped"));
  const auto code = events_of("code", "exited");
  ASSERT_EQ(code.size(), 1U);
  EXPECT_EQ(number_of(code[0], "code"), 0);
  EXPECT_FALSE(code[0].contains("signal"));
  EXPECT_EQ(code[0].at("core"), json::value(false));
  EXPECT_GT(number_of(code[0], "ran").value_or(0), 0.04);
  EXPECT_GT(number_of(code[0], "cpu").value_or(0), 0.04);
  EXPECT_GT(number_of(code[0], "max_rss_bytes").value_or(0), 30e6);
  const auto killed = events_of("killed", "exited");
  ASSERT_EQ(killed.size(), 1U);
  EXPECT_EQ(text_of(killed[0], "signal"), "KILL");
  EXPECT_FALSE(killed[0].contains("code"));
  const std::string readable = ok({"events", "killed"}).out;
  EXPECT_TRUE(contains(readable, "KILL")) << readable;
  EXPECT_TRUE(contains(readable, "killed")) << readable;
}

TEST_F(EventsTest, SelectorsNarrowThem) {
  start({"--name", "a", "--", probe(), "serve"});
  start({"--name", "b", "--", probe(), "serve"});
  for (const auto& event : events({"a"})) EXPECT_EQ(text_of(event, "job"), "a") << json::serialize(event);
  EXPECT_FALSE(events({"a"}).empty());
  fails(3, {"events", "nosuch"});
}

TEST_F(EventsTest, SinceLeavesOutWhatIsOlder) {
  start({"--name", "a", "--", probe(), "serve"});
  EXPECT_FALSE(json_lines({"events", "--since", "10m"}).empty());
  EXPECT_TRUE(json_lines({"events", "--since", "2099-01-01 00:00"}).empty());
  EXPECT_EQ(run({"events", "--since", "teatime"}).status, 2);
}

TEST_F(EventsTest, FollowShowsThemAsTheyCome) {
  start({"--name", "a", "--", probe(), "serve"});
  const auto follower = launch({"--json", "events", "-f"});
  ASSERT_TRUE(follower->wait_output(5s, [](const Output& o) { return contains(o.out, "\"running\""); }))
      << follower->output();
  stop({"a"});
  EXPECT_TRUE(follower->wait_output(5s, [](const Output& o) { return contains(o.out, "\"stopped\""); }))
      << follower->output();
  follower->signal(SIGINT);
  for (const auto& line : lines_of(follower->finish(5s).out)) {
    boost::system::error_code error;
    EXPECT_TRUE(json::parse(line, error).is_object()) << line;
  }
}

TEST_F(EventsTest, WorkWithoutAnInstance) {
  EXPECT_EQ(ok({"events"}).out, "");
  start({"--name", "a", "--", probe(), "serve"});
  ok({"shutdown"});
  EXPECT_TRUE(contains(journal_names("a"), "starting running"));
  EXPECT_TRUE(own_processes().empty());
}

TEST_F(EventsTest, SecretsOfTheEnvironmentAreNotInThem) {
  start({"--name", "a", "-e", "TOKEN=xyzzy42", "--", probe(), "serve"});
  EXPECT_FALSE(contains(ok({"events"}).out, "xyzzy42"));
  EXPECT_FALSE(contains(ok({"--json", "events"}).out, "xyzzy42"));
  for (const auto& process : own_processes()) EXPECT_FALSE(contains(process.command, "xyzzy42")) << process.text();
}

}  // namespace

}  // namespace usvc::test
