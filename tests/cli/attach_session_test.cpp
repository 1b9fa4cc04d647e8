// usvc attach without a job, in a real tmux: looked at and typed into through another one that stands for the user's
// terminal.
#include <csignal>

#include "cli/census.h"
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

std::string first_line(const std::string& text) {
  const auto lines = lines_of(text);
  return lines.empty() ? "" : lines.front();
}

class AttachSessionTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    environment()["TERM"] = "xterm-256color";
    environment()["SHELL"] = "/bin/sh";
    without_leak_sanitizer();
  }
  void TearDown() override {
    outer({"kill-server"});
    run({"shutdown"});  // ends the session too
    CliTest::TearDown();
  }

  Output outer(const Args& words) { return run_program(with_socket(path("outer.sock"), words)); }
  Output inner(const Args& words) { return run_program(with_socket(tmux_socket(), words)); }
  std::string tmux_socket() {
    if (socket_.empty()) socket_ = text_of(vars(), "tmux_socket");
    return socket_;
  }
  // A terminal in which somebody typed that.
  void type_at_terminal(const std::string& command, int columns = 100, int rows = 30) {
    const Args words = {"new-session",
                        "-d",
                        "-s",
                        "user",
                        "-x",
                        std::to_string(columns),
                        "-y",
                        std::to_string(rows),
                        "env -u TMUX -u TMUX_PANE " + command + "; echo status $?; sleep 1000"};
    // A server that was just told to end may still take the connection.
    Output made;
    ASSERT_TRUE(wait_until(20s, [&] { return (made = outer(words)).status == 0; })) << made;
  }
  void attach(const std::string& options = "") {
    type_at_terminal("'" + program() + "' attach " + options);
    ASSERT_TRUE(screen_shows("[")) << screen();
  }
  void press(const std::string& key) { EXPECT_EQ(outer({"send-keys", "-t", "user", key}).status, 0); }
  std::string screen() { return outer({"capture-pane", "-p", "-t", "user"}).out; }
  bool screen_shows(const std::string& text, milliseconds deadline = 20s) {
    return wait_until(deadline, [&] { return contains(screen(), text); });
  }
  // "0 status, 1 web-1"
  std::string windows(const std::string& session = "usvc") {
    std::string all;
    for (const auto& line :
         lines_of(inner({"list-windows", "-t", "=" + session, "-F", "#{window_index} #{window_name}"}).out)) {
      all += (all.empty() ? "" : ", ") + line;
    }
    return all;
  }
  bool windows_are(const std::string& expected, const std::string& session = "usvc") {
    return wait_until(30s, [&] { return windows(session) == expected; });
  }
  // Of this instance: others are tested at the same time.
  std::vector<pid_t> watchers() {
    std::vector<pid_t> pids;
    for (const auto& process : processes_of(home())) {
      if (process.command.starts_with(program() + " tmux-windows")) pids.push_back(process.pid);
    }
    return pids;
  }
  pid_t server_pid() { return std::atoi(inner({"display-message", "-p", "#{pid}"}).out.c_str()); }

 private:
  static Args with_socket(const std::string& socket, const Args& words) {
    Args all = {"/usr/bin/env", "tmux", "-u", "-S", socket, "-f", "/dev/null"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  std::string socket_;
};

TEST_F(AttachSessionTest, WindowsAreInStepWithTheJobs) {
  start({"-n", "2", "-g", "web", "--", probe(), "print", "hello", "--", "serve"});
  start({"--name", "db", "--", probe(), "serve"});
  attach();
  EXPECT_TRUE(windows_are("0 status, 1 db, 2 web-1, 3 web-2")) << windows();
  start({"--name", "cron", "--", probe(), "serve"});
  EXPECT_TRUE(windows_are("0 status, 1 cron, 2 db, 3 web-1, 4 web-2")) << windows();
  stop({"db", "web-1"});
  EXPECT_TRUE(windows_are("0 status, 1 cron, 2 web-2")) << windows();
  EXPECT_TRUE(screen_shows("2 jobs")) << screen();
}

TEST_F(AttachSessionTest, ExitInItsConsoleLeavesIt) {
  start({"--name", "web", "--", probe(), "serve"});
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  ASSERT_TRUE(screen_shows("usvc>")) << screen();
  for (const char* key : {"exit", "Enter"}) press(key);
  EXPECT_TRUE(screen_shows("status 0")) << screen();
  EXPECT_EQ(windows(), "0 status, 1 web");
}

TEST_F(AttachSessionTest, CtrlLListsTheWindowsByTheirNumbers) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web-1, 2 web-2")) << windows();
  press("C-l");
  ASSERT_TRUE(screen_shows("(2)")) << screen();
  press("2");
  EXPECT_TRUE(wait_until(20s, [&] { return contains(inner({"display-message", "-p", "#W"}).out, "web-2"); }));
}

TEST_F(AttachSessionTest, AWindowShowsItsJob) {
  start({"--name", "web", "--", probe(), "print", "hello from web", "--", "serve"});
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  ASSERT_EQ(inner({"select-window", "-t", "=usvc:1"}).status, 0);
  EXPECT_TRUE(screen_shows("hello from web")) << screen();
}

// Within the console it would share its keys with the session.
TEST_F(AttachSessionTest, AttachTypedInTheConsoleGoesToTheJobsWindow) {
  start({"--name", "web", "--", probe(), "print", "hello from web", "--", "serve"});
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  ASSERT_TRUE(screen_shows("usvc>")) << screen();
  press("attach web");
  press("Enter");
  EXPECT_TRUE(screen_shows("hello from web")) << screen();
  EXPECT_TRUE(contains(inner({"display-message", "-p", "#{window_index}"}).out, "1"));
  ASSERT_EQ(inner({"select-window", "-t", "=usvc:0"}).status, 0);
  EXPECT_TRUE(screen_shows("usvc>")) << screen();
}

TEST_F(AttachSessionTest, CtrlDDetachesAndNothingHappensToTheJobs) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t pid = pid_of("web");
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  press("C-d");
  EXPECT_TRUE(screen_shows("status 0")) << screen();
  EXPECT_EQ(pid_of("web"), pid);
  EXPECT_EQ(windows(), "0 status, 1 web");
}

TEST_F(AttachSessionTest, CtrlLListsWindows) {
  start({"--name", "web", "--", probe(), "serve"});
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  press("C-l");
  EXPECT_TRUE(wait_until(20s, [&] {
    return contains(inner({"display-message", "-p", "#{pane_mode}"}).out, "tree-mode");
  }));
  EXPECT_TRUE(screen_shows("web")) << screen();
}

TEST_F(AttachSessionTest, CtrlSScrollsBack) {
  start({"--name", "web", "--", probe(), "serve"});
  attach();
  press("C-s");
  EXPECT_TRUE(wait_until(20s, [&] {
    return contains(inner({"display-message", "-p", "#{pane_mode}"}).out, "copy-mode");
  }));
  press("q");
  EXPECT_TRUE(wait_until(20s, [&] {
    return first_line(inner({"display-message", "-p", "#{pane_mode}"}).out).empty();
  }));
}

TEST_F(AttachSessionTest, ATmuxThatIsKilledHarmsNothing) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t pid = pid_of("web");
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  kill_hard(server_pid());
  EXPECT_TRUE(screen_shows("status ")) << screen();
  EXPECT_EQ(pid_of("web"), pid);
  outer({"kill-server"});
  attach();
  EXPECT_TRUE(windows_are("0 status, 1 web")) << windows();
  EXPECT_EQ(pid_of("web"), pid);
}

TEST_F(AttachSessionTest, AServerThatDoesNotAnswerIsReplaced) {
  start({"--name", "web", "--", probe(), "serve"});
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  freeze(server_pid());
  outer({"kill-server"});
  attach();
  EXPECT_TRUE(windows_are("0 status, 1 web")) << windows();
}

TEST_F(AttachSessionTest, WindowsThatEndByThemselvesComeBack) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t pid = pid_of("web");
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  for (const char* window : {"=usvc:1", "=usvc:0"}) {
    EXPECT_EQ(inner({"kill-window", "-t", window}).status, 0);
    EXPECT_TRUE(windows_are("0 status, 1 web")) << windows();
  }
  EXPECT_EQ(pid_of("web"), pid);
}

TEST_F(AttachSessionTest, OneWatcherHoweverOftenItIsAttached) {
  start({"--name", "web", "--", probe(), "serve"});
  attach();
  outer({"kill-server"});
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  EXPECT_TRUE(wait_until(20s, [this] { return watchers().size() == 1; })) << list(watchers());
}

TEST_F(AttachSessionTest, AWatcherThatIsKilledIsReplaced) {
  start({"--name", "web", "--", probe(), "serve"});
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  ASSERT_TRUE(wait_until(20s, [this] { return watchers().size() == 1; })) << list(watchers());
  kill_hard(watchers().front());
  outer({"kill-server"});
  attach();
  start({"--name", "web2", "--", probe(), "serve"});
  EXPECT_TRUE(windows_are("0 status, 1 web, 2 web2")) << windows();
}

TEST_F(AttachSessionTest, InsideAnotherTmuxItOpensAWindow) {
  start({"--name", "web", "--", probe(), "serve"});
  ASSERT_EQ(outer({"new-session", "-d", "-s", "user", "-n", "mine", "-x", "100", "-y", "30"}).status, 0);
  for (int twice = 0; twice < 2; ++twice) {
    outer({"send-keys", "-t", "=user:0.0", "'" + program() + "' attach; echo done-$?", "Enter"});
    EXPECT_TRUE(wait_until(20s, [&] {
      return contains(outer({"capture-pane", "-p", "-t", "=user:0.0"}).out, "done-0");
    })) << outer({"capture-pane", "-p", "-t", "=user:0.0"});
    outer({"send-keys", "-t", "=user:0.0", "clear", "Enter"});
  }
  EXPECT_EQ(outer({"list-windows", "-t", "user", "-F", "#{window_index} #{window_name} #{window_active}"}).out,
            "0 mine 0\n1 usvc 1\n");
  EXPECT_FALSE(exists(tmux_socket()));
}

TEST_F(AttachSessionTest, ATmuxThatIsGoneIsNoTmux) {
  start({"--name", "web", "--", probe(), "serve"});
  type_at_terminal("TMUX='" + path("nosuch.sock") + ",1,0' '" + program() + "' attach");
  EXPECT_TRUE(windows_are("0 status, 1 web")) << windows() << screen();
}

TEST_F(AttachSessionTest, WithoutTmuxItSaysWhatToDo) {
  const Output output = run({"attach"}, {.env = {{"PATH", directory()}}, .terminal = TerminalSize{}});
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.all(), "apt install tmux")) << output;
  EXPECT_TRUE(contains(output.all(), "usvc attach JOB")) << output;
}

TEST_F(AttachSessionTest, WithoutATerminalItSaysSo) {
  EXPECT_TRUE(contains(fails(1, {"attach"}).err, "a terminal is needed"));
  for (const char* term : {"dumb", ""}) {
    const Output output = run({"attach"}, {.env = {{"TERM", term}}, .terminal = TerminalSize{}});
    EXPECT_EQ(output.status, 1) << output;
    EXPECT_TRUE(contains(output.all(), "TERM")) << output;
  }
}

TEST_F(AttachSessionTest, NothingOfAJobIsInItsEnvironment) {
  start({"--name", "web", "--", probe(), "serve"});
  type_at_terminal("USVC_RUN=web.1.abcd USVC_JOB=web '" + program() + "' attach");
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  const std::string environment = inner({"show-environment", "-g"}).out;
  EXPECT_TRUE(contains(environment, "USVC_HOME=" + home())) << environment;
  for (const char* name : {"USVC_RUN", "USVC_JOB"}) EXPECT_FALSE(contains(environment, name)) << environment;
}

TEST_F(AttachSessionTest, ShutdownEndsIt) {
  start({"--name", "web", "--", probe(), "serve"});
  attach();
  ASSERT_TRUE(windows_are("0 status, 1 web")) << windows();
  const pid_t server = server_pid();
  ok({"shutdown"});
  EXPECT_FALSE(exists(tmux_socket()));
  expect_gone(server, "the tmux server");
}

TEST_F(AttachSessionTest, ReadOnlyHasASessionOfItsOwn) {
  start({"--name", "web", "--", probe(), "serve"});
  attach("--read-only");
  EXPECT_TRUE(windows_are("0 events, 1 web", "usvc-read-only")) << windows("usvc-read-only");
  const std::string command = inner({"list-panes", "-s", "-t", "=usvc-read-only", "-F", "#{pane_start_command}"}).out;
  EXPECT_TRUE(contains(command, "attach --read-only web")) << command;
}

TEST_F(AttachSessionTest, ManyJobs) {
  start({"-n", "60", "-g", "many", "--", "/bin/sleep", "1000"}, {.deadline = 50s});
  attach();
  EXPECT_TRUE(wait_until(50s, [&] { return lines_of(inner({"list-windows", "-t", "=usvc"}).out).size() == 61; }));
  const auto lines = lines_of(inner({"list-windows", "-t", "=usvc", "-F", "#{window_index} #{window_name}"}).out);
  ASSERT_EQ(lines.size(), 61U);
  EXPECT_EQ(lines[1], "1 many-1");
  EXPECT_EQ(lines[2], "2 many-2");
  EXPECT_EQ(lines[60], "60 many-60");
}

}  // namespace

}  // namespace usvc::test
