// usvc run from a terminal: the job as if it had been started without usvc.
#include <csignal>
#include <filesystem>

#include "cli/cli_test.h"
#include "cli/terminal_driver.h"

namespace usvc::test {

namespace {

class RunTerminalTest : public CliTest {
 protected:
  std::unique_ptr<TerminalDriver> run_at(const Args& args, TerminalSize size = {}) {
    return std::make_unique<TerminalDriver>(with(program(), with("run", args)), environment(), directory(), size);
  }
};

TEST_F(RunTerminalTest, ShowsAllFromTheFirstByteAndEndsWithItsStatus) {
  const auto user = run_at({"--", probe(), "print", "hello", "there", "--", "exit", "7"});
  const std::string before = user->settings();
  EXPECT_EQ(user->finish(), 7);
  EXPECT_TRUE(contains(user->shown(), "hello\r\nthere\r\n")) << user->shown();
  EXPECT_FALSE(contains(user->shown(), "\x1b[2J")) << "the reader's screen is not cleared";
  EXPECT_FALSE(contains(user->shown(), "##")) << user->shown();
  EXPECT_EQ(user->settings(), before);
}

TEST_F(RunTerminalTest, HasTheWindowFromTheBeginning) {
  const auto user = run_at({"--", "/bin/stty", "size"}, {37, 123});
  EXPECT_EQ(user->finish(), 0);
  EXPECT_TRUE(contains(user->shown(), "37 123\r\n")) << user->shown();
}

TEST_F(RunTerminalTest, WhatItSaysOfErrorsGoesWhereItWasSent) {
  const std::string line = "usvc run -- /bin/sh -c 'echo out; echo err >&2' 2>" + path("err");
  TerminalDriver user(shell_line(line), environment(), directory(), {});
  EXPECT_EQ(user.finish(), 0);
  EXPECT_TRUE(contains(user.shown(), "out\r\n")) << user.shown();
  EXPECT_FALSE(contains(user.shown(), "err\r\n")) << user.shown();
  EXPECT_EQ(read(path("err")), "err\n");
  // A program that needs its terminal all the same.
  TerminalDriver forced(shell_line("usvc run --tty -- /bin/sh -c 'test -t 2' 2>/dev/null"), environment(), directory(),
                        {});
  EXPECT_EQ(forced.finish(), 0);
}

TEST_F(RunTerminalTest, InTheBackgroundItWaitsToBeBroughtForward) {
  const std::string line =
      "set -m; usvc run -- " + probe() + " print hello -- exit 7 & until [[ $(jobs -s) ]]; do :; done; fg";
  TerminalDriver user(shell_line(line), environment(), directory(), {});
  EXPECT_EQ(user.finish(), 7) << user.shown();
  EXPECT_TRUE(contains(user.shown(), "hello\r\n")) << user.shown();
}

TEST_F(RunTerminalTest, CtrlCAndCtrlDAreTheJobs) {
  const auto reader = run_at({"--", "/bin/sh", "-c", "echo ready; cat; echo ended"});
  ASSERT_TRUE(reader->wait_for("ready")) << reader->shown();
  reader->type("text\r\x04");
  EXPECT_EQ(reader->finish(), 0);
  EXPECT_TRUE(contains(reader->shown(), "text\r\ntext\r\nended\r\n")) << reader->shown();
  const auto user = run_at({"--", "/bin/sh", "-c", "echo ready; exec sleep 1000"});
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  user->type("\x03");
  EXPECT_EQ(user->finish(), 128 + SIGINT);
}

TEST_F(RunTerminalTest, CtrlCLeavesOutWhatWasNotShownYet) {
  const auto user = run_at({"--name", "web", "--", "/usr/bin/yes"});
  ASSERT_TRUE(user->wait_for("y\r\n")) << user->shown();
  ASSERT_TRUE(wait_until(20s, [&] { return std::filesystem::file_size(status("web").log) > (4U << 20U); }));
  user->forget();
  user->type("\x03");
  EXPECT_EQ(user->finish(), 128 + SIGINT);
  EXPECT_LT(user->shown().size(), 1U << 20U);
  EXPECT_TRUE(contains(user->shown(), " of output left out here: usvc log web shows all of it ##\r\n"));
}

TEST_F(RunTerminalTest, CtrlCEndsTheLoopOfAShell) {
  TerminalDriver user({"/bin/bash", "--norc", "--noprofile", "-i"}, environment(), directory());
  user.type("for i in 1 2 3; do '" + program() + "' run -- /bin/sh -c 'echo rea\"\"dy; exec sleep 1000'; done\r");
  ASSERT_TRUE(user.wait_for("ready\r\n")) << user.shown();
  user.type("\x03");
  ASSERT_TRUE(wait_state("sh-1", "stopped"));
  user.type("echo 'sta''tus' $?; exit 0\r");
  EXPECT_TRUE(user.wait_for("status 130\r\n")) << user.shown();
  EXPECT_EQ(user.finish(), 0);
  EXPECT_EQ(count_of(user.shown(), "ready\r\n"), 1) << user.shown();
}

TEST_F(RunTerminalTest, CtrlCLeavesOutALongLineToo) {
  const auto user = run_at({"--name", "web", "--", "/bin/sh", "-c", "echo ready; exec tr '\\0' x </dev/zero"});
  ASSERT_TRUE(user->wait_for("ready\r\n")) << user->shown();
  ASSERT_TRUE(wait_until(20s, [&] { return std::filesystem::file_size(status("web").log) > (4U << 20U); }));
  user->forget();
  user->type("\x03");
  EXPECT_EQ(user->finish(20s), 128 + SIGINT);
  EXPECT_LT(user->shown().size(), 1U << 20U);
}

TEST_F(RunTerminalTest, CtrlCThatTheJobHandlesIsNotItsEnd) {
  TerminalDriver user({"/bin/bash", "--norc", "--noprofile", "-i"}, environment(), directory());
  write("handler", "#!/bin/sh\ntrap 'exit 130' INT\necho ready\nwhile :; do sleep 0.1; done\n", 0755);
  user.type("for i in 1 2; do '" + program() + "' run -- ./handler; done; echo 'o''ver'\r");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(user.wait_for("ready\r\n")) << user.shown();
    user.forget();
    user.type("\x03");
  }
  EXPECT_TRUE(user.wait_for("over\r\n")) << user.shown();
  user.type("exit\r");
  user.finish();
}

TEST_F(RunTerminalTest, SignalsArePassedOn) {
  const auto user = run_at({"--name", "web", "--", "/bin/sh", "-c",
                            "trap 'echo asked; exit 9' TERM; echo ready; "
                            "while :; do sleep 0.1; done"});
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  user->signal(SIGTERM);
  EXPECT_EQ(user->finish(), 9);
  EXPECT_TRUE(contains(user->shown(), "asked\r\n")) << user->shown();
}

TEST_F(RunTerminalTest, LivesThroughAKillOfTheManager) {
  const auto user = run_at({"--", "/bin/sh", "-c", "echo ready; read -r line; echo \"got $line\"; exit 5"});
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  kill_hard(manager_pid());
  user->type("it\r");
  EXPECT_EQ(user->finish(20s), 5);
  EXPECT_TRUE(contains(user->shown(), "got it\r\n")) << user->shown();
}

TEST_F(RunTerminalTest, WhatCannotBeExecutedFails) {
  const auto user = run_at({"--", path("nosuch")});
  EXPECT_NE(user->finish(), 0);
  EXPECT_TRUE(contains(user->shown(), path("nosuch"))) << user->shown();
}

}  // namespace

}  // namespace usvc::test
