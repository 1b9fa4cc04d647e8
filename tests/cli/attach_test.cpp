// usvc attach JOB: somebody sits at a job's terminal.
#include <csignal>
#include <filesystem>

#include "cli/cli_test.h"
#include "cli/terminal_driver.h"

namespace usvc::test {

namespace {

using namespace std::string_literals;

const std::string ctrl_bracket = "\x1d";

class AttachTest : public CliTest {
 protected:
  std::unique_ptr<TerminalDriver> sit_down(const Args& args, TerminalSize size = {}) {
    Args argv = with(program(), args);
    return std::make_unique<TerminalDriver>(argv, environment(), directory(), size);
  }
  std::unique_ptr<TerminalDriver> attach(const std::string& job, TerminalSize size = {}) {
    return sit_down({"attach", job}, size);
  }
  // A job that says what it hears, line by line, and its window's size when it changes.
  void start_echo(const std::string& name = "web") {
    // No shell: a trap in the middle of its read loses the line.
    start({"--name", name, "--", "/usr/bin/env", "python3", "-c", R"(
import os, signal, termios
def window(*_):
    size = os.get_terminal_size(0)
    os.write(1, b"window %d %d\n" % (size.lines, size.columns))
signal.signal(signal.SIGWINCH, window)
settings = termios.tcgetattr(0)
settings[3] &= ~termios.ECHO
termios.tcsetattr(0, termios.TCSANOW, settings)
os.write(1, b"ready\n")
while True:
    line = os.read(0, 65536).strip()
    if line: os.write(1, b"heard " + line + b"\n")
)"});
    ASSERT_TRUE(wait_log(name, "ready"));
  }
};

TEST_F(AttachTest, ShowsTheRecentScreenAndWhatComes) {
  start({"--name", "web", "--", probe(), "print", "first", "second", "--", "wait-file", path("go"), "--", "print",
         "third", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "second"));
  const auto user = attach("web");
  EXPECT_TRUE(user->wait_for("second")) << user->shown();
  EXPECT_TRUE(contains(user->shown(), "first")) << user->shown();
  write("go", "");
  EXPECT_TRUE(user->wait_for("third\r\n")) << user->shown();
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
}

TEST_F(AttachTest, CtrlDLeavesWhileMoreComesThanItCanShow) {
  start({"--name", "web", "--", "/usr/bin/yes"});
  const auto user = attach("web");
  ASSERT_TRUE(user->wait_for("y\r\ny\r\n")) << user->shown();
  ASSERT_TRUE(wait_until(20s, [&] { return std::filesystem::file_size(status("web").log) > (4U << 20U); }));
  user->forget();
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
  EXPECT_LT(user->shown().size(), 128U << 10U);
}

TEST_F(AttachTest, ASilentJobsScreenIsNotMistakenForNothing) {
  start({"--name", "web", "--", probe(), "serve"});
  const auto user = attach("web");
  EXPECT_TRUE(user->wait_for("## web has written nothing yet (Ctrl-D leaves) ##")) << user->shown();
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
}

TEST_F(AttachTest, KeysReachTheJobAndLeavingLeavesEverythingAsItWas) {
  start_echo();
  const auto user = attach("web");
  const std::string before = user->settings();
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  EXPECT_TRUE(user->raw());
  user->type("grüße\r");
  EXPECT_TRUE(user->wait_for("heard grüße\r\n")) << user->shown();
  user->type("last words\r" + ctrl_d);
  EXPECT_EQ(user->finish(), 0);
  EXPECT_EQ(user->settings(), before);
  EXPECT_TRUE(wait_log("web", "heard last words\n")) << "what was typed before it was left";
  EXPECT_EQ(status("web").runs, 1);
}

TEST_F(AttachTest, CtrlCIsHeldBackUnlessItIsMeant) {
  start_echo();
  const pid_t job = pid_of("web");
  const auto user = attach("web");
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  user->type(ctrl_c);
  EXPECT_TRUE(user->wait_for("## Use usvc stop to terminate this process ##\r\n")) << user->shown();
  user->type("alive\r");
  EXPECT_TRUE(user->wait_for("heard alive")) << user->shown();
  EXPECT_EQ(pid_of("web"), job);
  user->type(ctrl_bracket + ctrl_c);
  EXPECT_TRUE(user->wait_for("## web was killed by INT after ")) << user->shown();
  EXPECT_TRUE(user->wait_for(", started again ##\r\n")) << user->shown();
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
}

TEST_F(AttachTest, NeedsATerminal) {
  start_echo();
  const Output output = fails(1, {"attach", "web"});
  EXPECT_TRUE(contains(output.err, "usvc log -f web")) << output;
}

TEST_F(AttachTest, WhatIsNoJobIsToldAsEverywhere) {
  EXPECT_EQ(sit_down({"attach", "web"})->finish(), 4) << "no instance";
  start_echo();
  start({"-n", "2", "-g", "many", "--", probe(), "serve"});
  const auto user = attach("wbe");
  EXPECT_EQ(user->finish(), 3);
  EXPECT_TRUE(contains(user->shown(), "web")) << user->shown();
  EXPECT_EQ(attach("many")->finish(), 3) << "two jobs";
  ok({"stop", "many-2"});
  ok({"clean", "many-2"});
  const auto only = attach("many");
  EXPECT_TRUE(only->wait_for("\x1b")) << only->shown();
  only->type(ctrl_d);
  EXPECT_EQ(only->finish(), 0) << only->shown();
  EXPECT_EQ(sit_down({"attach", "web", "many-1"})->finish(), 2);
}

TEST_F(AttachTest, GoesOnThroughRunsAndEndsWithTheJob) {
  start({"--name", "web", "--", "/bin/sh", "-c", "echo begun; read -r line; echo \"got $line\"; exit 3"});
  const auto user = sit_down({"a", "web"});
  const std::string before = user->settings();
  ASSERT_TRUE(user->wait_for("begun")) << user->shown();
  user->forget();
  user->type("x\r");
  EXPECT_TRUE(user->wait_shown([](const std::string& shown) {
    const auto got = shown.find("got x\r\n");
    const auto told = shown.find("## web exited with 3 after ");
    return got < told && told < shown.find(", started again ##\r\n") && told < shown.find("begun");
  })) << user->shown();
  user->forget();
  stop({"web"});
  EXPECT_TRUE(user->wait_for("## web was killed by TERM after ")) << user->shown();
  EXPECT_TRUE(user->wait_for("stopped (Ctrl-D leaves, usvc start web starts it) ##")) << user->shown();
  user->type("to nobody\r");
  EXPECT_TRUE(user->wait_for("does not run: nobody reads what is typed")) << user->shown();
  start({"web"});
  EXPECT_TRUE(user->wait_for("## web is started ##\r\nbegun\r\n")) << user->shown();
  stop({"web"});
  ok({"clean", "web"});
  EXPECT_EQ(user->finish(), 0);
  EXPECT_TRUE(contains(user->shown(), "## web was cleaned ##")) << user->shown();
  EXPECT_EQ(user->settings(), before);
}

TEST_F(AttachTest, TheWindowIsTheSizeOfWhoTypedLast) {
  start_echo();
  const auto small = attach("web", {30, 100});
  EXPECT_TRUE(small->wait_for("window 30 100")) << small->shown();
  const auto large = attach("web", {50, 200});
  EXPECT_TRUE(large->wait_for("window 50 200")) << large->shown();
  small->type("x\r");
  EXPECT_TRUE(large->wait_for("window 30 100")) << large->shown();
  EXPECT_TRUE(large->wait_for("heard x")) << large->shown();
  large->forget();
  small->resize({31, 101});
  small->signal(SIGWINCH);
  EXPECT_TRUE(large->wait_for("window 31 101")) << large->shown();
  small->type(ctrl_d);
  EXPECT_EQ(small->finish(), 0);
  EXPECT_TRUE(large->wait_for("window 50 200")) << large->shown();
  large->type(ctrl_d);
  EXPECT_EQ(large->finish(), 0);
  ok({"restart", "web"});
  start({"--name", "size", "-1", "--", "/bin/stty", "size"});
  EXPECT_TRUE(wait_log("size", "24 80"));
}

TEST_F(AttachTest, ANewRunHasTheSizeOfTheOneBefore) {
  start({"--name", "web", "--", "/bin/sh", "-c", "stty size; read -r line"});
  const auto user = attach("web", {33, 111});
  ASSERT_TRUE(user->wait_for("24 80")) << user->shown();
  user->type("x\r");
  EXPECT_TRUE(user->wait_for("33 111")) << user->shown();
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
  ok({"restart", "web"});
  EXPECT_TRUE(wait_until(10s, [&] { return count_of(log_text("web"), "33 111\n") == 2; })) << log_text("web");
}

TEST_F(AttachTest, LookingOnly) {
  start_echo();
  const auto user = sit_down({"attach", "--read-only", "web"}, {40, 120});
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  user->type("nothing\r");
  EXPECT_TRUE(user->wait_for("## Looking only")) << user->shown();
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
  EXPECT_FALSE(contains(log_text("web"), "heard")) << log_text("web");
  EXPECT_FALSE(contains(log_text("web"), "window")) << log_text("web");
}

TEST_F(AttachTest, AJobWithoutATerminalIsShownAndDoesNotHear) {
  start({"--name", "web", "--no-tty", "--", probe(), "print", "one", "two", "--", "serve"});
  const auto user = attach("web");
  EXPECT_TRUE(user->wait_for("two")) << user->shown();
  user->type("x");
  EXPECT_TRUE(user->wait_for("has no terminal (--no-tty)")) << user->shown();
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
}

TEST_F(AttachTest, EverySignalThatEndsItPutsTheTerminalBack) {
  start({"--name", "web", "--", "/bin/sh", "-c", "printf '\\033[?1049h\\033[?25l\\033[?1000h\\033[?2004hfull'; cat"});
  ASSERT_TRUE(wait_log("web", "full"));
  for (const int number : {SIGTERM, SIGHUP, SIGQUIT, SIGINT}) {
    const auto user = attach("web");
    const std::string before = user->settings();
    ASSERT_TRUE(user->wait_for("full")) << user->shown();
    EXPECT_TRUE(contains(user->shown(), "\x1b[?1000h")) << user->shown();
    user->forget();
    user->signal(number);
    EXPECT_EQ(user->finish(), 128 + number);
    EXPECT_EQ(user->settings(), before) << number;
    for (const auto* mode : {"\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l", "\x1b[?2004l"}) {
      EXPECT_TRUE(contains(user->shown(), mode)) << number << user->shown();
    }
  }
}

TEST_F(AttachTest, LivesThroughKillsOfTheManagerWhileSomebodyTypes) {
  start_echo();
  const auto user = attach("web");
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  std::vector<std::string> expected;
  for (int i = 0; i < 60; ++i) {
    if (i % 20 == 10) kill_hard(manager_pid());
    const std::string line = "line " + std::to_string(i);
    user->type(line + "\r");
    expected.push_back("heard " + line + "\n");
  }
  EXPECT_TRUE(user->wait_for("heard line 59\r\n", 20s)) << user->shown();
  // None is lost. What was on its way at a kill may come twice (decision 0014), so it is not counted.
  const std::string log = log_text("web");
  std::size_t at = 0;
  for (const auto& line : expected) {
    at = log.find(line, at);
    ASSERT_NE(at, std::string::npos) << line << log;
  }
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
}

TEST_F(AttachTest, WhoDoesNotReadSlowsNobody) {
  start({"--name", "web", "--", "/bin/sh", "-c",
         "for i in 1 2 3 4 5 6 7 8 9 10; do seq -f \"$i line %g of many that nobody reads\" 2000; sleep 0.1; done; "
         "echo done; read -r line"});
  const auto idler = attach("web");
  ASSERT_TRUE(idler->wait_shown([](const std::string& shown) { return !shown.empty(); }));
  const auto reader = attach("web");
  EXPECT_TRUE(reader->wait_for("done\r\n", 20s));
  EXPECT_TRUE(wait_log("web", "done\n", 1s));
  EXPECT_TRUE(idler->wait_for("done\r\n", 20s)) << "it catches up";
  idler->type(ctrl_d);
  EXPECT_EQ(idler->finish(), 0);
}

TEST_F(AttachTest, OneThatDoesNotReadWhatIsTypedCanBeLeft) {
  start({"--name", "web", "--", "/bin/sh", "-c", "stty raw -echo; echo ready; sleep 1000"});
  ASSERT_TRUE(wait_log("web", "ready"));
  const auto user = attach("web");
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  user->type(std::string(400'000, 'x'));
  EXPECT_TRUE(user->wait_for("does not read what is typed", 20s)) << user->shown();
  EXPECT_EQ(run({"jobs"}).out, "web\n") << "the manager has time for others";
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
}

TEST_F(AttachTest, ALargePasteArrivesWhole) {
  start({"--name", "web", "--", "/bin/sh", "-c", "stty raw -echo; echo ready; head -c 300012 | md5sum; read -r line"});
  ASSERT_TRUE(wait_log("web", "ready"));
  std::string text;
  while (text.size() < 300'000) text += "pasted text with \x03\x04\x1d in it " + std::to_string(text.size()) + "\r";
  text.resize(300'000);
  write("paste", "\x1b[200~" + text + "\x1b[201~");
  const Output sum = run_program({"/usr/bin/md5sum", path("paste")});
  const auto user = attach("web");
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  user->type("\x1b[200~" + text + "\x1b[201~");
  EXPECT_TRUE(user->wait_for(sum.out.substr(0, 32), 20s)) << user->shown();
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
}

TEST_F(AttachTest, AKilledViewerIsNobodysLoss) {
  start_echo();
  const auto user = attach("web");
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  user->type("one\r");
  ASSERT_TRUE(user->wait_for("heard one")) << user->shown();
  kill_hard(user->pid());
  const auto next = attach("web");
  ASSERT_TRUE(next->wait_for("heard one")) << next->shown();
  next->type("two\r");
  EXPECT_TRUE(next->wait_for("heard two")) << next->shown();
  next->type(ctrl_d);
  EXPECT_EQ(next->finish(), 0);
  EXPECT_EQ(status("web").runs, 1);
}

TEST_F(AttachTest, QueriesOfThePastAreNotAnsweredAnew) {
  start({"--name", "web", "--", "/bin/sh", "-c",
         "stty raw -echo; printf 'asked\\033[6n\\033[c'; head -c 3 | od -c; cat"});
  ASSERT_TRUE(wait_log("web", "\x1b[c"));
  const auto user = attach("web");
  ASSERT_TRUE(user->wait_for("asked")) << user->shown();
  EXPECT_FALSE(contains(user->shown(), "\x1b[6n")) << user->shown();
  EXPECT_FALSE(contains(user->shown(), "\x1b[c")) << user->shown();
  user->type("abc");
  EXPECT_TRUE(user->wait_for("a   b   c")) << user->shown();
  user->type(ctrl_d);
  EXPECT_EQ(user->finish(), 0);
}

TEST_F(AttachTest, EndsWithTheInstance) {
  start_echo();
  const auto user = attach("web");
  const std::string before = user->settings();
  ASSERT_TRUE(user->wait_for("ready")) << user->shown();
  ok({"shutdown"});
  EXPECT_EQ(user->finish(), 4);
  EXPECT_EQ(user->settings(), before);
}

}  // namespace

}  // namespace usvc::test
