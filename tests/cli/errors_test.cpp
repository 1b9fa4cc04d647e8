// Exit statuses and messages: the part of the contract that every script leans on.
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using ErrorsTest = CliTest;

TEST_F(ErrorsTest, MistypedCommandGetsASuggestion) {
  const struct {
    const char* typed;
    const char* meant;
  } table[] = {
      {"stauts", "status"}, {"strat", "start"}, {"sotp", "stop"}, {"evnts", "events"}, {"shutdwon", "shutdown"}};
  for (const auto& row : table) {
    const Output output = fails(2, {row.typed});
    EXPECT_TRUE(contains(output.err, row.meant)) << output;
    EXPECT_EQ(lines_of(output.err).size(), 1U) << output;
  }
}

TEST_F(ErrorsTest, MistypedJobGetsASuggestion) {
  start({"--name", "frontend", "--", probe(), "serve"});
  for (const Args& command : {Args{"stop"}, Args{"status"}, Args{"log"}, Args{"why"}, Args{"restart"}, Args{"clean"},
                              Args{"conf"}, Args{"wait"}, Args{"pidof"}, Args{"jobs"}, Args{"events"}}) {
    Args args = command;
    args.emplace_back("frontent");
    const Output output = fails(3, args);
    EXPECT_TRUE(contains(output.err, "frontend")) << output;
    EXPECT_EQ(lines_of(output.err).size(), 1U) << output;
  }
}

TEST_F(ErrorsTest, UnknownOptionIsWrongUsage) {
  for (const char* command : {"status", "stop", "log", "events", "jobs", "vars", "wait", "init", "shutdown"}) {
    fails(2, {command, "--no-such-option"});
  }
  fails(2, {"--no-such-option", "status"});
}

TEST_F(ErrorsTest, SuperfluousWordIsWrongUsage) {
  for (const char* command : {"vars", "init", "shutdown"}) fails(2, {command, "word"});
}

TEST_F(ErrorsTest, RootIsRefusedUnlessAllowed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can see it";
  environment().erase("USVC_ALLOW_ROOT");
  const Output output = fails(1, {"start", "--name", "web", "--", probe(), "serve"});
  EXPECT_TRUE(contains(output.err, "root")) << output;
  EXPECT_TRUE(contains(output.err, "--allow-root") || contains(output.err, "USVC_ALLOW_ROOT")) << output;
  EXPECT_TRUE(own_processes().empty());
  ok({"--allow-root", "start", "--name", "web", "--", probe(), "serve"});
  ok({"--allow-root", "shutdown"});
  environment()["USVC_ALLOW_ROOT"] = "1";
}

TEST_F(ErrorsTest, HomeThatCannotBeMeansTheManagerCannotBeStarted) {
  const std::string file = write("file", "");
  const Output output = run({"--home", file, "start", "--", probe(), "serve"});
  EXPECT_EQ(output.status, 4) << output;
  EXPECT_TRUE(contains(output.err, file)) << output;
  EXPECT_TRUE(output.err.starts_with("usvc: ")) << output;
}

TEST_F(ErrorsTest, HomeThatOthersCanWriteToIsRefused) {
  ASSERT_EQ(mkdir(home().c_str(), 0777), 0);
  ASSERT_EQ(chmod(home().c_str(), 0777), 0);
  const Output output = run({"start", "--", probe(), "serve"});
  EXPECT_TRUE(output.status == 4 || output.status == 1) << output;
  EXPECT_TRUE(contains(output.err, home())) << output;
  EXPECT_TRUE(own_processes().empty()) << list(own_processes());
}

TEST_F(ErrorsTest, ManagerThatDoesNotAnswerIsUnreachable) {
  start({"--name", "web", "--", probe(), "serve"});
  const auto values = vars();
  // A socket nobody listens on, and no instance: what a command meets that needs one that was there.
  ok({"shutdown"});
  write(text_of(values, "socket"), "");
  const Output output = run({"status"});
  EXPECT_EQ(output.status, 0) << "read-only commands look at the disk: " << output;
}

TEST_F(ErrorsTest, EveryMessageIsOneLine) {
  start({"--name", "web", "--", probe(), "serve"});
  const Args table[] = {
      {"stop", "nosuch"},
      {"conf", "nosuch"},
      {"signal", "web", "NOSUCH"},
      {"start", "--restart", "x", "--", "y"},
      {"log", "nosuch"},
      {"start", "--", "/nosuch"},
      {"load", "/nosuch"},
      {"help", "nosuch"},
      {"why", "a\nb"},
      {"start", "--name", "a\nb", "--", probe()},
  };
  for (const auto& args : table) {
    const Output output = run(args);
    EXPECT_NE(output.status, 0) << output;
    EXPECT_TRUE(output.err.starts_with("usvc: ")) << output;
    EXPECT_EQ(lines_of(output.err).size(), 1U) << output;
  }
}

TEST_F(ErrorsTest, ClosedOutputIsNoCrash) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  const Output output =
      run_program({"/bin/bash", "-c", "set -o pipefail; \"$0\" status | true; echo $?", std::getenv("USVC_TEST_BIN")});
  const std::string status = output.out;
  EXPECT_FALSE(contains(status, "134") || contains(status, "139")) << output;
  EXPECT_FALSE(contains(output.err, "terminate")) << output;
}

}  // namespace

}  // namespace usvc::test
