// usvc console, with commands piped in.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class ConsoleScriptTest : public CliTest {
 protected:
  Output script(const std::string& text, const Args& args = {}) { return run(with("console", args), {.input = text}); }
};

TEST_F(ConsoleScriptTest, RunsItsLinesAndSaysNoMoreThanThey) {
  const Output output = script(
      "# two of them\n"
      "start --name web -- ./probe serve\n"
      "\n"
      "  start --name 'db' -- ./probe \\\n    serve   # in two lines\n"
      "jobs");
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(output.err, "") << output;
  EXPECT_TRUE(output.out.ends_with("db\nweb\n")) << output;
  EXPECT_FALSE(contains(output.out, "usvc>")) << output;
}

TEST_F(ConsoleScriptTest, StopsAtTheFirstThatFailsWithItsStatus) {
  const Output output = script("vars\nlog nosuch\nstart --name web -- ./probe serve\n");
  EXPECT_EQ(output.status, 3) << output;
  EXPECT_TRUE(contains(output.err, "usvc: line 2: log: exit status 3")) << output;
  EXPECT_FALSE(exists(conf_path("web")));
}

TEST_F(ConsoleScriptTest, KeepGoingRunsTheRestAndTellsTheFirstFailure) {
  const Output output = script("log nosuch\nnosuchcommand\nstart --name web -- ./probe serve\n", {"--keep-going"});
  EXPECT_EQ(output.status, 3) << output;
  EXPECT_TRUE(contains(output.err, "line 1")) << output;
  EXPECT_TRUE(contains(output.err, "line 2")) << output;
  EXPECT_EQ(status("web").state, "running");
}

TEST_F(ConsoleScriptTest, ExitEndsIt) {
  const Output output = script("exit\nlog nosuch\n");
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(output.err, "");
}

TEST_F(ConsoleScriptTest, AnOpenQuoteIsWrongUsage) {
  const Output output = script("jobs\nstop 'web\n");
  EXPECT_EQ(output.status, 2) << output;
  EXPECT_TRUE(contains(output.err, "line 2: a quote is not closed")) << output;
}

TEST_F(ConsoleScriptTest, CommandsDoNotReadTheScript) {
  const Output output = script("load -\njobs --json\n", {"-k"});
  EXPECT_TRUE(contains(output.out, "[]")) << output;
}

TEST_F(ConsoleScriptTest, AConsoleInItIsRefused) {
  const Output output = script("console\n");
  EXPECT_EQ(output.status, 2) << output;
  EXPECT_TRUE(contains(output.err, "this is the console already")) << output;
}

TEST_F(ConsoleScriptTest, TakesNoWords) {
  fails(2, {"console", "web"});
}

}  // namespace

}  // namespace usvc::test
