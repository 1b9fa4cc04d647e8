// Many jobs at once: what is done to them is done together.
#include <chrono>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using ManyJobsTest = CliTest;
using Clock = std::chrono::steady_clock;

TEST_F(ManyJobsTest, HundredAreStartedShownAndStopped) {
  start({"-n", "100", "-g", "many", "--", probe(), "serve"}, {.deadline = 40s});
  const auto all = jobs();
  ASSERT_EQ(all.size(), 100U);
  for (const auto& job : all) EXPECT_EQ(job.state, "running") << job;
  EXPECT_EQ(all.at(9).name, "many-10");
  EXPECT_EQ(lines_of(ok({"status"}).out).size(), 102U);
  ok({"stop", "many"}, {.deadline = 40s});
  EXPECT_TRUE(job_processes().empty()) << list(job_processes());
  EXPECT_EQ(names({"dead"}).size(), 100U);
  ok({"clean", "many"});
  EXPECT_EQ(names({}).size(), 0U);
}

TEST_F(ManyJobsTest, HundredThatIgnoreTheSignalAreStoppedTogether) {
  start({"-n", "100", "-g", "deaf", "--stop-timeout", "0.5", "--", probe(), "ignore", "TERM", "--", "serve"},
        {.deadline = 40s});
  const auto begin = Clock::now();
  ok({"stop", "deaf"}, {.deadline = 40s});
  EXPECT_LT(Clock::now() - begin, 20s) << "one after another would take 50 s";
  EXPECT_TRUE(job_processes().empty()) << list(job_processes());
}

TEST_F(ManyJobsTest, ShutdownStopsThemTogether) {
  start({"-n", "50", "-g", "deaf", "--stop-timeout", "0.5", "--", probe(), "ignore", "TERM", "--", "serve"},
        {.deadline = 40s});
  const auto begin = Clock::now();
  ok({"shutdown"}, {.deadline = 40s});
  EXPECT_LT(Clock::now() - begin, 20s) << "one after another would take 25 s";
}

}  // namespace

}  // namespace usvc::test
