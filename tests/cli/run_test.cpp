// usvc run: a job in the foreground, whose end is the command's own.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using RunTest = CliTest;

TEST_F(RunTest, ShowsTheOutputAndReturnsTheStatus) {
  const Output output = run({"run", "--", probe(), "print", "hello", "there", "--", "exit", "7"});
  EXPECT_EQ(output.status, 7) << output;
  EXPECT_EQ(output.out, "hello\nthere\n") << output;
}

TEST_F(RunTest, EveryKindOfStatus) {
  for (const int code : {0, 1, 2, 3, 4, 5, 42, 98, 126, 127, 128, 129, 254, 255}) {
    EXPECT_EQ(run({"run", probe(), "exit", std::to_string(code)}).status, code);
  }
}

TEST_F(RunTest, SignalsAre128AndTheirNumber) {
  const struct {
    const char* name;
    int number;
  } table[] = {{"HUP", 1}, {"INT", 2}, {"ABRT", 6}, {"KILL", 9}, {"SEGV", 11}, {"PIPE", 13}, {"TERM", 15}};
  for (const auto& row : table) {
    EXPECT_EQ(run({"run", probe(), "crash", row.name}).status, 128 + row.number) << row.name;
  }
}

TEST_F(RunTest, AllOfTheOutputIsSeen) {
  const Output output = run({"run", "--name", "flood", "--", probe(), "flood", "1000000", "100"}, {.deadline = 40s});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_EQ(output.out.size(), 1000000U);
  EXPECT_EQ(output.out, log_text("flood"));
}

TEST_F(RunTest, OutputIsSeenAsItComes) {
  const auto client =
      launch({"run", probe(), "print", "first", "--", "wait-file", path("go"), "--", "print", "second"});
  EXPECT_TRUE(client->wait_output(5s, [](const Output& o) { return contains(o.out, "first"); })) << client->output();
  write("go", "");
  const Output output = client->finish(10s);
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(output.out, "first\nsecond\n");
}

TEST_F(RunTest, IsNotKeptAlive) {
  run({"run", "--name", "once", "--", probe(), "exit", "3"});
  ASSERT_TRUE(wait_state("once", "stopped"));
  EXPECT_EQ(status("once").runs, 1);
  EXPECT_EQ(status("once").exit_code, 3);
  EXPECT_FALSE(status("once").wanted);
}

TEST_F(RunTest, WhatCannotBeExecutedFails) {
  const Output output = run({"run", "--", path("nosuch")});
  EXPECT_NE(output.status, 0) << output;
  EXPECT_TRUE(contains(output.err, path("nosuch"))) << output;
}

TEST_F(RunTest, OptionsAreThoseOfStart) {
  const Output output = run({"run", "--no-tty", "-e", "MINE=1", "--cwd", "/usr", "--", probe(), "env", "--", "report"});
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_TRUE(contains(output.out, "MINE=1\n")) << output;
  EXPECT_TRUE(contains(output.out, "\"cwd\":\"/usr\"")) << output;
}

TEST_F(RunTest, APolicyThatWouldStartItAnewIsRefused) {
  for (const std::string policy : {"always", "on-failure"}) {
    const Output output = fails(2, {"run", "--name", "web", "--restart", policy, "--", probe(), "exit", "0"});
    EXPECT_TRUE(contains(output.err, "--restart " + policy) && contains(output.err, "usvc start --restart")) << output;
  }
  EXPECT_EQ(run({"run", "--restart", "never", "--", probe(), "exit", "4"}).status, 4);
}

// The job may be gone before its end is told, or before it is asked for.
TEST_F(RunTest, AJobThatIsCleanedMeanwhileStillTellsStatusAndOutput) {
  ok({"init"});
  const std::string cleaning = "cd '" + directory() + "'; while [ ! -e enough ]; do usvc clean -q dead 2>&-; done & ";
  const std::string running = "for i in $(seq 10); do usvc run sh -c 'echo out; exit 7'; echo $?; done; ";
  const Output output = shell(cleaning + running + "touch '" + directory() + "/enough'; wait", {.deadline = 50s});
  std::string expected;
  for (int i = 0; i < 10; ++i) expected += "out\n7\n";
  EXPECT_EQ(output.out, expected) << output;
}

TEST_F(RunTest, StopFromElsewhereEndsIt) {
  const auto client = launch({"run", "--name", "web", "--", probe(), "print", "up", "--", "serve"});
  ASSERT_TRUE(client->wait_output(10s, [](const Output& o) { return contains(o.out, "up"); })) << client->output();
  stop({"web"});
  EXPECT_EQ(client->finish(10s).status, 128 + 15);
}

TEST_F(RunTest, ForgetsItsJobWhenAsked) {
  const Output output = run({"run", "--rm", "--name", "web", "--", probe(), "print", "hello", "--", "exit", "7"});
  EXPECT_EQ(output.status, 7) << output;
  EXPECT_EQ(output.out, "hello\n");
  EXPECT_EQ(output.err, "");
  EXPECT_TRUE(names({}).empty());
  EXPECT_EQ(run({"run", "--name", "kept", "--", probe(), "exit", "0"}).status, 0);
  EXPECT_EQ(names({}), Args{"kept"});
}

TEST_F(RunTest, ATerminalIsNotToBeHadWithoutOne) {
  EXPECT_TRUE(contains(fails(2, {"run", "--tty", "--", probe(), "exit", "0"}).err, "must be a terminal"));
}

TEST_F(RunTest, WithoutACommandIsWrongUsage) {
  EXPECT_EQ(run({"run"}).status, 2);
}

}  // namespace

}  // namespace usvc::test
