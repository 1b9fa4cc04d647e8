// The clock is set back by an hour, or on by one, while jobs run, wait and are stopped: for usvc's processes and the
// jobs, by a clock of the test's own (tests/clock).
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "cli/terminal_driver.h"
#include "faults/fixture.h"

namespace usvc::test {

namespace {

class ClockTest : public FaultTest {
 protected:
  void SetUp() override {
    FaultTest::SetUp();
    const char* const shim = std::getenv("USVC_TEST_CLOCK_SHIM");
    if (shim == nullptr) GTEST_SKIP() << "USVC_TEST_CLOCK_SHIM is not set";
    set_clock(0s);
    environment()["USVC_TEST_CLOCK"] = path("clock");
    environment()["LD_PRELOAD"] = shim;
    // A sanitizer's library wants to be the first.
    environment()["ASAN_OPTIONS"] += ":verify_asan_link_order=0";
  }
  // From now on it is so much later than it is.
  void set_clock(std::chrono::seconds off) {
    const std::int64_t seconds = off.count();
    std::fstream file(path("clock"),
                      std::ios::binary | (exists(path("clock")) ? std::ios::in : std::ios::trunc) | std::ios::out);
    file.write(reinterpret_cast<const char*>(&seconds), sizeof seconds);  // NOLINT: eight bytes as they are
    ASSERT_TRUE(file.flush());
  }
};

TEST_F(ClockTest, IsTheTestsOwn) {
  start({"--name", "before", "--", probe(), "serve"});
  set_clock(-1h);
  start({"--name", "after", "--", probe(), "serve"});
  const auto began = [&](const char* job) { return number_of(status(job).raw, "started_at").value_or(0); };
  EXPECT_NEAR(began("before") - began("after"), 3600, 300);
}

TEST_F(ClockTest, WaitingJobIsStartedWhenItsPauseIsOver) {
  start({"--name", "job", "--settle", "0", "--", probe(), "exit", "1", "after", "50"});
  ASSERT_TRUE(wait_until(20s, [&] { return !events_of("job", "waiting").empty(); }));
  set_clock(-1h);
  const auto runs = status("job").runs;
  EXPECT_TRUE(wait_until(30s, [&] { return status("job").runs >= runs + 2; })) << status("job");
  for (const auto& exit : events_of("job", "exited")) {
    EXPECT_GE(number_of(exit, "ran").value_or(-1), 0);
    EXPECT_LT(number_of(exit, "ran").value_or(-1), 100);
  }
  set_clock(1h);
  const auto then = status("job").runs;
  EXPECT_TRUE(wait_until(30s, [&] { return status("job").runs > then; })) << status("job");
}

// The stamp of what was edited is known by then, and too old to be doubted.
TEST_F(ClockTest, AConfThatWasLookedAtWhileItsJobRanIsTheNextRuns) {
  start({"--name", "job", "--no-tty", "--", "/bin/sh", "-c", "echo one; exec sleep 1000"});
  ASSERT_TRUE(wait_log("job", "one\n"));
  const std::string conf = home() + "/jobs/job.conf";
  std::string text = read(conf);
  const auto at = text.find("echo one");
  ASSERT_NE(at, std::string::npos) << text;
  std::ofstream(conf) << text.replace(at, 8, "echo two");
  set_clock(1h);
  ok({"status", "job"});
  ok({"restart", "job"});
  EXPECT_TRUE(wait_log("job", "one\ntwo\n")) << log_text("job");
}

TEST_F(ClockTest, StopTakesItsTimeoutAndNoLonger) {
  start({"--name", "deaf", "--stop-timeout", "1", "--", probe(), "ignore", "TERM", "--", "serve"});
  const pid_t pid = pid_of("deaf");
  const auto stopping = launch({"stop", "deaf"});
  ASSERT_TRUE(wait_until(10s, [&] { return !events_of("deaf", "stopping").empty(); }));
  set_clock(-1h);
  const Output output = stopping->finish(20s);
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_FALSE(alive(pid));
  EXPECT_EQ(text_of(events_of("deaf", "exited").front(), "signal"), "KILL");
}

TEST_F(ClockTest, RunAtATerminalEndsWithItsJob) {
  TerminalDriver user({program(), "run", "--", "/bin/sh", "-c", "echo ready; read -r line; exit 5"}, environment(),
                      directory());
  ASSERT_TRUE(user.wait_for("ready", 20s)) << user.shown();
  set_clock(-1h);
  user.type("it\r");
  EXPECT_EQ(user.finish(20s), 5);
}

TEST_F(ClockTest, AgesAreNeverNegative) {
  start({"--name", "job", "--", probe(), "serve"});
  set_clock(-1h);
  const Output shown = ok({"status", "job"});
  const auto lines = lines_of(shown.out);
  EXPECT_TRUE(contains(lines.back(), " 0s ")) << shown;
  EXPECT_TRUE(contains(ok({"why", "job"}).out, "job")) << "and says something";
  stop({"job"});
  EXPECT_EQ(number_of(events_of("job", "exited").front(), "ran"), 0);
}

TEST_F(ClockTest, LogAndEventsKeepTheirOrderAndShowWhatIsNew) {
  start({"--name", "job", "--no-tty", "--", "/bin/sh", "-c",
         "echo one; until [ -e " + path("go") + " ]; do sleep 0.05; done; echo two; exec sleep 1000"});
  ASSERT_TRUE(wait_log("job", "one\n"));
  set_clock(-1h);
  write("go", "");
  ASSERT_TRUE(wait_log("job", "one\ntwo\n"));
  EXPECT_EQ(ok({"log", "job"}).out, "one\ntwo\n");
  EXPECT_TRUE(contains(ok({"log", "--since", "10m", "job"}).out, "two\n"));
  EXPECT_TRUE(contains(ok({"log", "-t", "job"}).out, "two\n"));
  stop({"job"});
  EXPECT_EQ(journal_names("job"), "starting running stopping exited stopped");
  EXPECT_TRUE(contains(ok({"events", "--since", "10m", "job"}).out, "stopped"));
}

TEST_F(ClockTest, NextManagerGoesOn) {
  stand_by();
  set_clock(-1h);
  const auto managers = journaled("manager-started");
  kill_hard(manager_process());
  ASSERT_TRUE(wait_until(20s, [&] { return journaled("manager-started") > managers; }));
  check_bystanders({});
  check_in_the_end({}, {});
}

}  // namespace

}  // namespace usvc::test
