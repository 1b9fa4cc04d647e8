// usvc console --status, in a real terminal emulator: tmux.
#include <csignal>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class ConsoleStatusTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    environment()["NO_COLOR"] = "1";
    without_leak_sanitizer();
  }
  void TearDown() override {
    (void)tmux({"kill-server"});
    CliTest::TearDown();
  }
  Output tmux(const Args& words) {
    Args argv = {"/usr/bin/tmux", "-S", path("tmux"), "-f", "/dev/null"};
    argv.insert(argv.end(), words.begin(), words.end());
    return run_program(argv);
  }
  // In a shell, so that it can be seen what it leaves behind.
  void open(int columns, int rows) {
    const Output output = tmux(
        {"new-session", "-d", "-x", std::to_string(columns), "-y", std::to_string(rows), "PS1='shell: ' exec sh -i"});
    ASSERT_EQ(output.status, 0) << output;
    // Its size is ours to choose, not that of clients there are not.
    (void)tmux({"set-option", "-g", "window-size", "manual"});
    type("exec 2>&1; " + program() + " console --status");
    ASSERT_TRUE(shows([](const Args& lines) { return lines.back() == "usvc>"; })) << picture();
  }
  void type(const std::string& line) {
    (void)tmux({"send-keys", "-l", line});
    (void)tmux({"send-keys", "Enter"});
  }
  // The screen's lines, without blanks and empty lines at the end.
  Args screen() { return lines_of(tmux({"capture-pane", "-p"}).out); }
  std::string picture() { return tmux({"capture-pane", "-p"}).out; }
  bool shows(const std::function<bool(const Args&)>& what, milliseconds deadline = 20s) {
    return wait_until(deadline, [&] {
      Args lines = screen();
      while (!lines.empty() && lines.back().empty()) lines.pop_back();
      return !lines.empty() && what(lines);
    });
  }
  static std::size_t find(const Args& lines, const std::string& part) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (contains(lines[i], part)) return i;
    }
    return lines.size();
  }
};

TEST_F(ConsoleStatusTest, TheTableIsAboveThePromptAndFollowsTheJobs) {
  open(100, 24);
  ASSERT_TRUE(shows([](const Args& lines) { return contains(lines[0], "[load"); })) << picture();
  type("start --name web -- ./probe serve");
  ASSERT_TRUE(shows([](const Args& lines) { return lines.size() > 2 && lines[2].starts_with("web "); })) << picture();
  ASSERT_TRUE(shows([](const Args& lines) { return lines.back() == "usvc>"; })) << picture();
  // Output scrolls below it, and it stays.
  for (int i = 0; i < 3; ++i) type("help");
  ASSERT_TRUE(shows([](const Args& lines) {
    return lines.size() == 24 && lines[2].starts_with("web ") && contains(lines[22], "help COMMAND tells") &&
           lines.back() == "usvc>";
  })) << picture();
  // Changed by somebody else.
  start({"--name", "db", "--", probe(), "serve"});
  ASSERT_TRUE(shows([](const Args& lines) { return lines[2].starts_with("db ") && lines[3].starts_with("web "); }))
      << picture();
}

TEST_F(ConsoleStatusTest, TheTableGoesOnWhileACommandRuns) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  open(100, 24);
  ASSERT_TRUE(shows([](const Args& lines) { return lines.size() > 3 && lines[3].starts_with("web-2 "); })) << picture();
  for (const std::string command : {"wait web --for stopped", "log -f web-1", "events -f --since 1s"}) {
    type(command);
    ASSERT_TRUE(shows([&](const Args& lines) { return lines.back() != "usvc>"; })) << picture();
    stop({"web-2"});
    ASSERT_TRUE(shows([](const Args& lines) { return contains(lines[3], " stopped "); })) << picture();
    start({"web-2"});
    ASSERT_TRUE(shows([](const Args& lines) { return contains(lines[3], " asleep "); })) << picture();
    (void)tmux({"send-keys", "C-c"});
    ASSERT_TRUE(shows([](const Args& lines) { return lines.back().ends_with("usvc>"); })) << picture();
  }
}

TEST_F(ConsoleStatusTest, ItSurvivesAManagerThatDiesAndAnInstanceThatEnds) {
  start({"--name", "web", "--", probe(), "serve"});
  open(100, 24);
  ASSERT_TRUE(shows([](const Args& lines) { return lines.size() > 2 && contains(lines[2], "asleep"); })) << picture();
  kill_hard(static_cast<pid_t>(*number_of(json({"vars"}).as_object(), "manager_pid")));
  ok({"stop", "web"});
  ASSERT_TRUE(shows([](const Args& lines) { return contains(lines[2], "stopped"); })) << picture();
  ok({"shutdown"});
  type("start web");
  ASSERT_TRUE(shows([](const Args& lines) { return contains(lines[2], "asleep"); })) << picture();
}

TEST_F(ConsoleStatusTest, NotMoreThanHalfOfTheScreenAndTheRestIsCounted) {
  start({"-g", "web", "-n", "20", "--", probe(), "serve"});
  start({"--name", "zz", "--restart", "never", "--settle", "0", "--", probe(), "exit", "3", "100"});
  ASSERT_TRUE(wait_state("zz", "stopped"));
  open(100, 20);
  ASSERT_TRUE(shows([](const Args& lines) {
    return lines[2].starts_with("zz ") && lines[3].starts_with("web-1 ") && contains(lines[8], "… and 15 more");
  })) << picture();
}

TEST_F(ConsoleStatusTest, ItAdaptsToAnotherSize) {
  start({"--name", "web", "--", probe(), "serve"});
  open(100, 24);
  ASSERT_TRUE(shows([](const Args& lines) { return lines.size() > 2 && lines[2].starts_with("web "); })) << picture();
  for (const auto& [columns, rows] : {std::pair(60, 12), std::pair(120, 40)}) {
    (void)tmux({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)});
    ASSERT_TRUE(shows([&](const Args& lines) {
      return lines.size() == static_cast<std::size_t>(rows) && contains(lines[0], "[load") &&
             lines[2].starts_with("web ") && lines.back() == "usvc>" && find(lines, "usvc>") + 1 == lines.size();
    })) << picture();
    type("jobs");
    ASSERT_TRUE(shows([](const Args& lines) {
      return lines.size() > 4 && lines[lines.size() - 2] == "web" && contains(lines[lines.size() - 3], "usvc> jobs");
    })) << picture();
    type("clear");
    ASSERT_TRUE(shows([&](const Args& lines) { return find(lines, "jobs") == lines.size(); })) << picture();
  }
}

TEST_F(ConsoleStatusTest, TheWholeScreenScrollsAgainWhenItIsLeft) {
  open(80, 24);
  ASSERT_TRUE(shows([](const Args& lines) { return contains(lines[0], "[load"); })) << picture();
  type("exit");
  ASSERT_TRUE(shows([](const Args& lines) { return lines.back() == "shell:"; })) << picture();
  type("for i in $(seq 100); do echo line $i; done");
  ASSERT_TRUE(shows([](const Args& lines) { return lines[0] == "line 78" && lines[22] == "line 100"; })) << picture();
}

TEST_F(ConsoleStatusTest, APagerHasTheScreenToItselfAndTheTableComesBack) {
  ok({"run", "--name", "many", "--", "/bin/sh", "-c", "seq 300"});
  open(80, 24);
  ASSERT_TRUE(shows([](const Args& lines) { return lines.size() > 2 && lines[2].starts_with("many "); })) << picture();
  type("log -n all many");
  ASSERT_TRUE(shows([](const Args& lines) { return lines.back() == ":"; })) << picture();
  (void)tmux({"send-keys", "G"});
  ASSERT_TRUE(shows([](const Args& lines) { return find(lines, "300") < lines.size(); })) << picture();
  EXPECT_EQ(find(screen(), "[load"), screen().size()) << picture();
  (void)tmux({"send-keys", "q"});
  ASSERT_TRUE(shows([](const Args& lines) { return lines[2].starts_with("many ") && lines.back() == "usvc>"; }))
      << picture();
}

}  // namespace

}  // namespace usvc::test
