// usvc clean: forgets jobs, keeps their logs, and never touches one that runs.
#include <filesystem>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using CleanTest = CliTest;

std::string only_file_of(const std::string& directory, const std::string& part) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (contains(name, part) && contains(name, ".log") && !contains(name, ".idx")) return entry.path();
  }
  return {};
}

TEST_F(CleanTest, ForgetsAJobAndKeepsItsLog) {
  start({"--name", "web", "--", probe(), "print", "hello", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "hello\n"));
  EXPECT_TRUE(exists(conf_path("web")));
  EXPECT_TRUE(exists(home() + "/jobs/web.env"));
  stop({"web"});
  const Output output = ok({"clean", "web"});
  EXPECT_TRUE(contains(output.out, "web")) << output;
  EXPECT_FALSE(exists(conf_path("web")));
  EXPECT_FALSE(exists(home() + "/jobs/web.env"));
  EXPECT_FALSE(exists(home() + "/work/web"));
  EXPECT_FALSE(exists(home() + "/logs/web.log"));
  EXPECT_EQ(read(only_file_of(home() + "/logs/old", "web")), "hello\n");
  EXPECT_EQ(names({}), Args{});
}

TEST_F(CleanTest, RunningOnesAreSkippedAndNamed) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  stop({"web-1"});
  const Output output = run({"clean", "web"});
  EXPECT_TRUE(contains(output.all(), "web-2")) << output;
  EXPECT_TRUE(contains(output.all(), "run")) << output;
  EXPECT_EQ(names({}), Args{"web-2"});
  EXPECT_EQ(status("web-2").state, "running");
}

TEST_F(CleanTest, AliasesAndDead) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  stop({"web"});
  ok({"rm", "web-1"});
  ok({"delete", "web-2"});
  EXPECT_EQ(names({}), Args{"web-3"});
  ok({"clean", "dead"});
  EXPECT_EQ(names({}), Args{});
}

TEST_F(CleanTest, CleanedJobStaysForgotten) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  ok({"clean", "web"});
  ok({"shutdown"});
  ok({"init"});
  EXPECT_EQ(names({}), Args{});
}

TEST_F(CleanTest, SameNameAgainBeginsAnew) {
  start({"--name", "web", "-1", "--", probe(), "print", "old"});
  ASSERT_TRUE(wait_state("web", "stopped"));
  ok({"clean", "web"});
  start({"--name", "web", "--", probe(), "print", "new", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "new\n"));
  EXPECT_EQ(log_text("web"), "new\n");
  EXPECT_EQ(status("web").runs, 1);
}

TEST_F(CleanTest, WrongUsageAndNoMatch) {
  fails(2, {"clean"});
  start({"--name", "web", "--", probe(), "serve"});
  fails(3, {"clean", "nosuch"});
}

}  // namespace

}  // namespace usvc::test
