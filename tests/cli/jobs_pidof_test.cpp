// usvc jobs and usvc pidof: what scripts build on.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using JobsPidofTest = CliTest;

TEST_F(JobsPidofTest, NamesOneALineInNaturalOrder) {
  start({"-n", "11", "-g", "web", "--", probe(), "serve"});
  Args expected;
  for (int number = 1; number <= 11; ++number) expected.push_back("web-" + std::to_string(number));
  EXPECT_EQ(names({}), expected);
  EXPECT_EQ(names({"web"}), expected);
}

TEST_F(JobsPidofTest, PidsOneALineInTheSameOrder) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  Args expected;
  for (const auto& job : jobs()) expected.push_back(std::to_string(job.pid));
  EXPECT_EQ(lines_of(ok({"pidof", "web"}).out), expected);
  EXPECT_EQ(ok({"pidof", "web-2"}).out, expected.at(1) + "\n");
}

TEST_F(JobsPidofTest, JobThatDoesNotRunHasNoPid) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  stop({"web-1"});
  EXPECT_EQ(run({"pidof", "web"}).out, std::to_string(pid_of("web-2")) + "\n");
  EXPECT_EQ(run({"pidof", "web-1"}).out, "");
}

TEST_F(JobsPidofTest, NothingWithoutAnInstance) {
  EXPECT_EQ(ok({"jobs"}).out, "");
  fails(3, {"jobs", "nosuch"});
  fails(3, {"pidof", "nosuch"});
  fails(2, {"pidof"});
  EXPECT_TRUE(own_processes().empty());
}

}  // namespace

}  // namespace usvc::test
