#include <gtest/gtest.h>

#include <string>

#include "base/time.h"
#include "cli/words.h"

namespace usvc {
namespace {

constexpr double moment = 1'800'000'000;

ExitView exited(std::int64_t code, double at = moment - 1) {
  ExitView exit;
  exit.code = code;
  exit.at = at;
  return exit;
}

ExitView killed(const std::string& signal, bool core) {
  ExitView exit;
  exit.signal = signal;
  exit.core = core;
  exit.at = moment - 1;
  return exit;
}

TEST(CliWords, Exit) {
  EXPECT_EQ(exit_words(exited(1)), "exit 1");
  EXPECT_EQ(exit_words(killed("KILL", false)), "killed by KILL");
  EXPECT_EQ(exit_words(killed("SEGV", true)), "killed by SEGV (core dumped)");
  EXPECT_EQ(exit_words(ExitView{}), "exit status unknown");
  ExitView hook = exited(3);
  hook.reason = "the pre-run hook failed: exit 3";
  EXPECT_EQ(exit_words(hook), "the pre-run hook failed: exit 3");
  ExitView never;
  never.reason = "exec: Permission denied";
  EXPECT_EQ(exit_words(never), "not started: exec: Permission denied");
}

TEST(CliWords, ShellStatus) {
  for (int code = 0; code < 256; ++code) EXPECT_EQ(shell_status(exited(code)), code);
  EXPECT_EQ(shell_status(killed("KILL", false)), 137);
  EXPECT_EQ(shell_status(killed("TERM", false)), 143);
  EXPECT_EQ(shell_status(ExitView{}), 125);
  ExitView never;
  never.reason = "no";
  EXPECT_EQ(shell_status(never), 126);
}

JobView job_in(const std::string& state, std::optional<ExitView> exit, std::int64_t in_a_row) {
  JobView job;
  job.name = "web";
  job.state = state;
  job.last_exit = std::move(exit);
  job.deaths_in_a_row = in_a_row;
  job.first_death_in_row_at = moment - 120;
  job.wanted = true;
  return job;
}

TEST(CliWords, Trouble) {
  ExitView asked = exited(143);
  asked.asked = true;
  struct Case {
    JobView job;
    std::string expected;
  };
  const Case cases[] = {
      {job_in("running", std::nullopt, 0), ""},
      {job_in("running", exited(1), 1), "exit 1"},
      {job_in("running", exited(1, moment - 500), 1), "exit 1"},
      {job_in("running", exited(1, moment - 700), 1), ""},  // long ago
      {job_in("stopped", exited(1, moment - 700), 1), "exit 1"},
      {job_in("running", exited(0), 0), ""},
      {job_in("waiting", exited(1), 7), "exit 1, 7 times in 2m"},
      {job_in("waiting", exited(0), 0), ""},
      {job_in("dead", killed("SEGV", true), 1), "killed by SEGV (core dumped)"},
      {job_in("stopped", asked, 0), ""},
      {job_in("stopped", killed("INT", false), 1), ""},
      {job_in("stopped", killed("TERM", false), 1), "killed by TERM"},
      {job_in("waiting", killed("INT", false), 1), "killed by INT"},
  };
  for (const auto& c : cases) EXPECT_EQ(trouble_words(c.job, moment), c.expected) << c.job.state;
  JobView broken = job_in("invalid", std::nullopt, 0);
  broken.trouble = "web.conf:3: bad";
  EXPECT_EQ(trouble_words(broken, moment), "web.conf:3: bad");
  JobView full = job_in("running", std::nullopt, 0);
  full.trouble = "log: No space left on device";
  EXPECT_EQ(trouble_words(full, moment), "log: No space left on device");
}

TEST(CliWords, Status) {
  JobView job = job_in("running", std::nullopt, 0);
  EXPECT_EQ(status_words(job, moment), "running");
  job.kernel_state = "asleep*";
  EXPECT_EQ(status_words(job, moment), "asleep*");
  job.state = "waiting";
  job.waiting_until = moment + 8.2;
  EXPECT_EQ(status_words(job, moment), "waiting 9s");
  job.waiting_until = moment - 5;
  EXPECT_EQ(status_words(job, moment), "waiting 0s");
  job.state = "pre-run";
  EXPECT_EQ(status_words(job, moment), "pre-run");
}

TEST(CliWords, Events) {
  struct Case {
    std::string line;
    std::string expected;
  };
  const Case cases[] = {
      {R"({"t":1,"event":"exited","signal":"KILL","ran":3.2,"cpu":0.1,"max_rss_bytes":12582912})",
       "exited: killed by KILL after 3.2 s, CPU 0.10 s, peak 12M"},
      {R"({"t":1,"event":"exited","signal":"SEGV","core":true,"ran":9})",
       "exited: killed by SEGV (core dumped) after 9 s"},
      {R"({"t":1,"event":"exited","code":0,"ran":0.02,"asked":true})", "exited: exit 0 after 0.02 s, as asked"},
      {R"({"t":1,"event":"exited"})", "exited: exit status unknown"},
      {R"({"t":1,"event":"waiting","until":10})", "waiting 9 s"},
      {R"({"t":1,"event":"running","pid":42})", "started, pid 42"},
      {R"({"t":1,"event":"running","pid":42,"run_id":"web.3.0000abcd"})", "started, pid 42, run 3"},
      {R"({"t":1,"event":"adopted","pid":42})", "adopted, pid 42"},
      {R"({"t":1,"event":"manager-started","pid":7})", "manager started, pid 7"},
      {R"({"t":1,"event":"error","message":"cannot\nwrite"})", "error: cannot\\nwrite"},
      {R"({"t":1,"event":"cleaned"})", "cleaned"},
      {R"({"t":1,"event":"something-new","message":"x"})", "something-new: x"},
  };
  for (const auto& c : cases) {
    const auto event = parse_event(c.line);
    ASSERT_TRUE(event) << c.line;
    EXPECT_EQ(event_words(*event), c.expected);
  }
}

TEST(CliWords, EventLine) {
  Event event;
  event.t = 1'800'000'000.25;
  event.event = "stopped";
  event.job = "web-1";
  const std::string line = event_line_for_people(event, 8);
  EXPECT_TRUE(line.ends_with(".250  web-1     stopped")) << line;
  event.job.reset();
  EXPECT_TRUE(event_line_for_people(event, 2).ends_with(".250  usvc  stopped"));
}

TEST(CliWords, Seconds) {
  const std::pair<double, std::string> cases[] = {{0.0, "0.00 s"}, {0.02, "0.02 s"}, {1, "1 s"},        {3.2, "3.2 s"},
                                                  {9.0, "9 s"},    {14.6, "15 s"},   {150, "2 min"},    {7200, "2 h"},
                                                  {-1, "0.00 s"},  {9.96, "10 s"},   {200000, "2 days"}};
  for (const auto& [seconds, text] : cases) EXPECT_EQ(seconds_words(seconds), text) << seconds;
}

}  // namespace
}  // namespace usvc
