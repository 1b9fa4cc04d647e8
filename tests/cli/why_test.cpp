// usvc why: one paragraph that answers the question.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using WhyTest = CliTest;

void expect_all(const std::string& text, const Args& parts) {
  for (const auto& part : parts) EXPECT_TRUE(contains(text, part)) << "no '" << part << "' in:\n" << text;
}

TEST_F(WhyTest, RunningJob) {
  start({"--name", "web", "--", probe(), "print", "hello there", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "hello there"));
  expect_all(ok({"why", "web"}).out, {"web", "running", std::to_string(pid_of("web")), "hello there"});
}

TEST_F(WhyTest, KilledJobNamesTheSignal) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t before = pid_of("web");
  kill_hard(before);
  ASSERT_GT(wait_new_pid("web", before), 0);
  expect_all(ok({"why", "web"}).out, {"web", "KILL"});
}

TEST_F(WhyTest, ThrottledJobTellsWhatComesNext) {
  start({"--name", "bad", "--", probe(), "wait-file", path("go"), "--", "print", "no database", "--", "exit", "3"});
  write("go", "");
  ASSERT_TRUE(wait_state("bad", "waiting"));
  expect_all(ok({"why", "bad"}).out, {"bad", "waiting", "3", "no database"});
}

TEST_F(WhyTest, StoppedJob) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  expect_all(ok({"why", "web"}).out, {"web", "stopped"});
}

TEST_F(WhyTest, AConfMendedAfterAStartFailedIsNotTheInstancesFault) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  const std::string conf = read(conf_path("web"));
  write("h/jobs/web.conf", "[core\n", 0600);
  fails(1, {"start", "web"});
  write("h/jobs/web.conf", conf, 0600);
  ASSERT_TRUE(wait_state("web", "stopped"));
  const std::string text = ok({"why", "web"}).out;
  expect_all(text, {"its conf could not be used", "usvc start web"});
  EXPECT_FALSE(contains(text, "own processes")) << text;
}

TEST_F(WhyTest, AliasesAndJson) {
  start({"--name", "web", "--", probe(), "serve"});
  for (const char* alias : {"describe", "info"}) expect_all(ok({alias, "web"}).out, {"web", "running"});
  json({"why", "web"});
}

TEST_F(WhyTest, WorksWithoutAnInstance) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  expect_all(ok({"why", "web"}).out, {"web"});
  EXPECT_TRUE(own_processes().empty());
}

TEST_F(WhyTest, WrongUsageAndNoMatch) {
  fails(2, {"why"});
  start({"--name", "web", "--", probe(), "serve"});
  const Output output = fails(3, {"why", "wbe"});
  EXPECT_TRUE(contains(output.err, "web")) << "a suggestion is missing: " << output;
}

}  // namespace

}  // namespace usvc::test
