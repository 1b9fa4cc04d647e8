#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "cli/cli_test.h"

namespace usvc::test {
namespace {

// A real tmux with a window in which a shell runs top; its server ends with the test.
class TopTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    environment()["LC_ALL"] = "C.UTF-8";
    environment()["TERM"] = "xterm-256color";
    without_leak_sanitizer();
    socket_ = path("tmux");
  }
  void TearDown() override {
    if (open_) tmux({"kill-server"});
    CliTest::TearDown();
  }

  Output tmux(const Args& args) {
    Args argv = {"/usr/bin/env", "tmux", "-S", socket_, "-f", "/dev/null"};
    argv.insert(argv.end(), args.begin(), args.end());
    return run_program(argv);
  }
  void open_window(int columns, int rows) {
    const auto opened =
        tmux({"new-session", "-d", "-x", std::to_string(columns), "-y", std::to_string(rows), "-n", "w", "sh"});
    ASSERT_EQ(opened.status, 0) << opened;
    open_ = true;
    ASSERT_EQ(tmux({"set-option", "-g", "window-size", "manual"}).status, 0);
    type("PS1='%% '; stty -a > " + path("before"));
    ASSERT_TRUE(wait_until(20s, [&] { return contains(read(path("before")), "speed"); }));
  }
  void open_top(int columns, int rows, const std::string& args = "") {
    open_window(columns, rows);
    type(program() + " top " + args + "; echo left $?; stty -a > " + path("after"));
    ASSERT_TRUE(shows("? help")) << screen();
  }
  void type(const std::string& line) {
    tmux({"send-keys", "-l", line});
    tmux({"send-keys", "Enter"});
  }
  void keys(const Args& names) { tmux(with("send-keys", names)); }
  std::string screen() { return tmux({"capture-pane", "-p"}).out; }
  std::string line(std::size_t number) {
    const auto lines = lines_of(screen());
    return number < lines.size() ? lines[number] : std::string();
  }
  bool shows(const std::string& text, milliseconds deadline = 20s) {
    return wait_until(deadline, [&] { return contains(screen(), text); });
  }
  bool hides(const std::string& text) {
    return wait_until(20s, [&] { return !contains(screen(), text); });
  }
  // The line that says something of this job.
  std::string line_of(const std::string& name) {
    for (const auto& row : lines_of(screen())) {
      if (row.size() > 2 && row.substr(2).starts_with(name + " ")) return row;
    }
    return {};
  }
  void expect_left(int status) {
    EXPECT_TRUE(shows("left " + std::to_string(status))) << screen();
    EXPECT_TRUE(wait_until(20s, [&] { return contains(read(path("after")), "speed"); }));
    EXPECT_EQ(read(path("after")), read(path("before")));
    EXPECT_FALSE(contains(screen(), "? help")) << screen();
  }
  // The shell's child: others' tests run the same program meanwhile.
  pid_t top_pid() {
    const std::string shell = lines_of(tmux({"display-message", "-p", "#{pane_pid}"}).out).front();
    const auto found = lines_of(run_program({"/usr/bin/env", "pgrep", "-P", shell}).out);
    return found.empty() || found.front().empty() ? 0 : std::stoi(found.front());
  }

 private:
  std::string socket_;
  bool open_ = false;
};

TEST_F(TopTest, NeedsATerminal) {
  const auto refused = fails(1, {"top"});
  EXPECT_TRUE(contains(refused.err, "usvc status")) << refused;
}

TEST_F(TopTest, HasNoJson) {
  const auto refused = run({"--json", "top"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_TRUE(contains(refused.err, "usvc --json status")) << refused;
}

TEST_F(TopTest, TakesAReasonableDelay) {
  for (const char* delay : {"0", "0.01", "soon", "2h"}) {
    EXPECT_EQ(run({"top", "-d", delay}, {.terminal = TerminalSize{}}).status, 2) << delay;
  }
}

TEST_F(TopTest, NeedsATerminalThatCanBeDrawnOn) {
  for (const char* term : {"dumb", "nosuchterminal"}) {
    const auto refused = run({"top"}, {.env = {{"TERM", term}}, .terminal = TerminalSize{}});
    EXPECT_EQ(refused.status, 1) << refused;
    EXPECT_TRUE(contains(refused.out, "usvc status")) << refused;
  }
}

TEST_F(TopTest, NoJobOfThatName) {
  start({"--name", "web", "--", probe(), "serve"});
  const auto refused = run({"top", "wob"}, {.terminal = TerminalSize{}});
  EXPECT_EQ(refused.status, 3) << refused;
}

TEST_F(TopTest, ShowsJobsAndTheirOutput) {
  start({"--name", "web", "--", probe(), "print", "hello from web", "--", "serve"});
  start({"--name", "bad", "--settle", "0", "--", probe(), "exit", "3", "after", "50"});
  open_top(80, 24);
  EXPECT_TRUE(shows("hello from web") || shows("last lines of bad"));
  EXPECT_TRUE(contains(line(0), "cores]") || contains(line(0), "core]")) << screen();
  EXPECT_TRUE(wait_until(20s, [&] { return contains(line_of("bad"), "! exit 3"); })) << screen();
  EXPECT_TRUE(contains(line_of("web"), std::to_string(pid_of("web")))) << screen();
  keys({"j"});
  EXPECT_TRUE(shows("last lines of web")) << screen();
  EXPECT_TRUE(shows("hello from web")) << screen();
  // Only trouble.
  keys({"t"});
  EXPECT_TRUE(wait_until(20s, [&] { return line_of("web").empty() && !line_of("bad").empty(); })) << screen();
  keys({"q"});
  expect_left(0);
}

TEST_F(TopTest, FollowsTheWindow) {
  start({"--name", "web", "--", probe(), "serve"});
  open_top(80, 24);
  tmux({"resize-window", "-x", "300", "-y", "80"});
  EXPECT_TRUE(shows("md5")) << screen();
  EXPECT_TRUE(wait_until(20s, [&] { return lines_of(screen()).size() >= 80 && contains(line(79), "? help"); }));
  tmux({"resize-window", "-x", "20", "-y", "4"});
  EXPECT_TRUE(shows("too small")) << screen();
  tmux({"resize-window", "-x", "80", "-y", "24"});
  EXPECT_TRUE(shows("? help")) << screen();
  EXPECT_FALSE(line_of("web").empty()) << screen();
  keys({"C-c"});
  expect_left(0);
}

TEST_F(TopTest, SortsAndFilters) {
  start({"--name", "idle", "--", probe(), "serve"});
  start({"--name", "busy", "--", probe(), "spin"});
  start({"--name", "other", "--", probe(), "serve"});
  open_top(100, 30);
  const auto first_is = [&](const std::string& name) {
    return wait_until(20s,
                      [&] { return line(3).starts_with("> " + name + " ") || line(3).starts_with("  " + name + " "); });
  };
  EXPECT_TRUE(first_is("busy")) << screen();
  keys({"R"});
  EXPECT_TRUE(first_is("other")) << screen();
  keys({"C"});
  EXPECT_TRUE(first_is("busy")) << screen();
  EXPECT_TRUE(contains(line(2), "cpu▼")) << screen();
  keys({"/", "I", "d"});
  EXPECT_TRUE(wait_until(20s, [&] { return first_is("idle") && line_of("busy").empty(); })) << screen();
  keys({"Enter"});
  EXPECT_TRUE(shows("[filter: Id]")) << screen();
  keys({"Escape"});
  EXPECT_TRUE(first_is("busy")) << screen();
  keys({"q"});
  expect_left(0);
}

TEST_F(TopTest, OperatesOnJobs) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t first = pid_of("web");
  open_top(80, 24);
  keys({"r"});
  ASSERT_TRUE(shows("web restarted, pid")) << screen();
  const pid_t second = wait_new_pid("web", first);
  EXPECT_TRUE(wait_until(20s, [&] { return contains(line_of("web"), std::to_string(second)); })) << screen();
  keys({"s"});
  ASSERT_TRUE(shows("stop web (pid " + std::to_string(second) + ")?")) << screen();
  keys({"n"});
  ASSERT_TRUE(shows("nothing was done")) << screen();
  EXPECT_EQ(pid_of("web"), second);
  keys({"s"});
  ASSERT_TRUE(shows("y: yes")) << screen();
  keys({"y"});
  ASSERT_TRUE(shows("web stopped")) << screen();
  EXPECT_TRUE(wait_until(20s, [&] { return contains(line_of("web"), "stopped"); })) << screen();
  keys({"S"});
  ASSERT_TRUE(shows("web started, pid")) << screen();
  EXPECT_TRUE(wait_state("web", "running"));
  keys({"w"});
  ASSERT_TRUE(shows("web is running")) << screen();
  keys({"q"});
  ASSERT_TRUE(hides("web is running")) << screen();
  keys({"e"});
  ASSERT_TRUE(shows("stopping")) << screen();
  keys({"Escape"});
  ASSERT_TRUE(shows("? help")) << screen();
  keys({"q"});
  expect_left(0);
}

TEST_F(TopTest, AStopThatTakesLongFreezesNothing) {
  start({"--name", "deaf", "--stop-timeout", "8s", "--", probe(), "ignore", "TERM", "--", "serve"});
  open_top(80, 24);
  keys({"s"});
  ASSERT_TRUE(shows("y: yes")) << screen();
  keys({"y"});
  ASSERT_TRUE(wait_until(20s, [&] { return contains(line_of("deaf"), "stopping"); })) << screen();
  keys({"?"});
  EXPECT_TRUE(shows("keys of usvc top", 6s)) << screen();
  keys({"q"});
  keys({"q"});
  expect_left(0);
  // What was asked for is done although nobody waits for it.
  EXPECT_TRUE(wait_state("deaf", "stopped", 20s));
}

TEST_F(TopTest, LivesThroughANewManager) {
  start({"--name", "web", "--", probe(), "serve"});
  open_top(100, 24);
  const pid_t before = pid_of("web");
  kill_hard(manager_pid());
  EXPECT_TRUE(shows("a new manager has taken over")) << screen();
  EXPECT_TRUE(contains(line_of("web"), std::to_string(before))) << screen();
  start({"--name", "later", "--", probe(), "serve"});
  EXPECT_TRUE(wait_until(20s, [&] { return !line_of("later").empty(); })) << screen();
  stop({"later"});
  ok({"clean", "later"});
  EXPECT_TRUE(wait_until(20s, [&] { return line_of("later").empty(); })) << screen();
  keys({"q"});
  expect_left(0);
}

TEST_F(TopTest, WaitsForAnInstance) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  open_top(100, 24);
  EXPECT_TRUE(shows("no instance runs")) << screen();
  EXPECT_FALSE(line_of("web").empty()) << screen();
  ok({"init"});
  EXPECT_TRUE(hides("no instance runs")) << screen();
  EXPECT_TRUE(wait_until(20s, [&] { return contains(line_of("web"), std::to_string(pid_of("web"))); })) << screen();
  keys({"q"});
  expect_left(0);
}

TEST_F(TopTest, ASignalGivesTheTerminalBack) {
  start({"--name", "web", "--", probe(), "serve"});
  open_top(80, 24);
  const pid_t pid = top_pid();
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(pid, SIGTERM), 0);
  expect_left(0);
}

TEST_F(TopTest, CanBeSuspended) {
  start({"--name", "web", "--", probe(), "serve"});
  open_window(80, 24);
  type("set -m; " + program() + " top");
  ASSERT_TRUE(shows("? help")) << screen();
  keys({"C-z"});
  ASSERT_TRUE(hides("? help")) << screen();
  type("stty -a > " + path("after"));
  ASSERT_TRUE(wait_until(20s, [&] { return contains(read(path("after")), "speed"); })) << screen();
  EXPECT_EQ(read(path("after")), read(path("before")));
  type("fg; echo left $?");
  ASSERT_TRUE(shows("? help")) << screen();
  keys({"q"});
  EXPECT_TRUE(shows("left 0")) << screen();
}

TEST_F(TopTest, ShowsTheLogAndComesBack) {
  start({"--name", "web", "--", probe(), "print", "a line of the log", "--", "serve"});
  open_top(80, 24);
  keys({"l"});
  ASSERT_TRUE(shows("press a key to go back")) << screen();
  EXPECT_TRUE(contains(screen(), "a line of the log")) << screen();
  keys({"x"});
  ASSERT_TRUE(shows("? help")) << screen();
  keys({"q"});
  expect_left(0);
}

TEST_F(TopTest, NothingButAsciiWithoutUtf8AndNoColorWhenNotWanted) {
  environment()["LC_ALL"] = "C";
  environment()["NO_COLOR"] = "1";
  start({"--name", "bad", "--settle", "0", "--", probe(), "exit", "3", "after", "50"});
  open_top(100, 24);
  EXPECT_TRUE(wait_until(20s, [&] { return contains(line_of("bad"), "! exit 3"); })) << screen();
  const auto text = tmux({"capture-pane", "-p", "-e"}).out;
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
      << text;
  EXPECT_FALSE(contains(text, "\x1b[31m")) << text;
  keys({"q"});
  expect_left(0);
}

TEST_F(TopTest, HasNoJobsToShow) {
  ok({"init"});
  open_top(80, 24);
  EXPECT_TRUE(shows("there are no jobs")) << screen();
  keys({"Enter"});
  EXPECT_TRUE(shows("no job is selected")) << screen();
  keys({"q"});
  expect_left(0);
}

}  // namespace
}  // namespace usvc::test
