// usvc console, on a terminal.
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <memory>

#include "cli/cli_test.h"
#include "cli/pty.h"

namespace usvc::test {

namespace {

const std::string prompt = "usvc> ";

class ConsoleTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    environment()["NO_COLOR"] = "1";
    environment().erase("PAGER");
  }
  std::unique_ptr<Pty> console(const Args& args = {}) {
    Args argv = {program()};
    argv.insert(argv.end(), args.begin(), args.end());
    argv.emplace_back("console");
    auto pty = std::make_unique<Pty>(argv, environment(), path(""), TerminalSize{24, 100});
    pty->shows(prompt);
    return pty;
  }
  [[nodiscard]] std::string history() const { return home() + "/console_history"; }
};

TEST_F(ConsoleTest, RunsCommandsUntilItIsLeft) {
  auto pty = console();
  pty->type("start --name web -- ./probe serve\r");
  pty->shows("web started");
  pty->shows(prompt);
  pty->type("jobs\r");
  pty->shows("web\r\n");
  pty->shows(prompt);
  pty->type("usvc jobs --json\r");
  pty->shows("[\"web\"]");
  pty->shows(prompt);
  pty->type(ctrl_d);
  EXPECT_EQ(pty->finish(), 0);
  EXPECT_EQ(status("web").state, "running");
}

TEST_F(ConsoleTest, ExitAndQuitLeave) {
  for (const char* word : {"exit", "quit"}) {
    auto pty = console();
    pty->type(std::string(word) + "\r");
    EXPECT_EQ(pty->finish(), 0) << word;
  }
}

TEST_F(ConsoleTest, SuggestsItsOwnWordsToo) {
  auto pty = console();
  pty->type("exot\r");
  pty->shows("there is no command 'exot' (did you mean exit?)");
  pty->shows("[2] usvc>");
}

TEST_F(ConsoleTest, AFreshLineFollowsCtrlC) {
  start({"--name", "web", "--", probe(), "print", "hello", "--", "serve"});
  auto pty = console();
  pty->type("log -f web\r");
  pty->shows("hello\r\n");
  pty->type("\x03");
  pty->shows("[130] usvc>");
  const std::string shown = pty->shown();
  EXPECT_TRUE(contains(shown, "^C\r\n¬")) << shown;
}

TEST_F(ConsoleTest, WordsAreQuotedAsInAShell) {
  auto pty = console();
  pty->type("run -- printf '%s.' \"a b\" c\\ d 'e\"f'\r");
  pty->shows("a b.c d.e\"f.");
  pty->shows(prompt);
  pty->type("run -- printf '<%s>' 'one\r");
  pty->shows("> ");
  pty->type("two'\r");
  pty->shows("<one\r\ntwo>");
}

TEST_F(ConsoleTest, ThePromptTellsHowACommandFailed) {
  auto pty = console();
  pty->type("log nosuch\r");
  pty->shows("usvc: ");
  pty->shows("[3] usvc> ");
  pty->type("nosuchcommand\r");
  pty->shows("[2] usvc> ");
  pty->type("run -- sh -c 'exit 7'\r");
  pty->shows("[7] usvc> ");
  pty->type("jobs -h\r");
  pty->shows("names of jobs");
  pty->shows("\x1b[Kusvc> ");
}

TEST_F(ConsoleTest, CtrlCClearsTheLineAndReachesNoJob) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t pid = pid_of("web");
  auto pty = console();
  pty->type("stop web" + ctrl_c);
  pty->shows("^C");
  pty->shows(prompt);
  pty->type("jobs\r");
  pty->shows("web\r\n");
  pty->shows(prompt);
  EXPECT_EQ(pid_of("web"), pid);
}

TEST_F(ConsoleTest, CtrlCEndsTheCommandThatRuns) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t pid = pid_of("web");
  auto pty = console();
  pty->type("events -f\r");
  pty->shows("started");
  ASSERT_TRUE(wait_until(10s, [&] { return pty->foreground() != pty->pid(); })) << "it has the terminal";
  pty->type(ctrl_c);
  pty->shows(prompt);
  ASSERT_TRUE(wait_until(10s, [&] { return pty->foreground() == pty->pid(); })) << "the console has it again";
  EXPECT_EQ(pid_of("web"), pid);
  pty->type("jobs\r");
  pty->shows("web\r\n");
}

TEST_F(ConsoleTest, ACommandThatIsKilledLeavesTheConsoleAndTheTerminal) {
  start({"--name", "web", "--", probe(), "serve"});
  auto pty = console();
  pty->type("events -f\r");
  pty->shows("started");
  ASSERT_TRUE(wait_until(10s, [&] { return pty->foreground() != pty->pid(); }));
  ::kill(-pty->foreground(), SIGKILL);
  pty->shows("[137] usvc> ");
  pty->type("jobs\r");
  pty->shows("web\r\n");
}

TEST_F(ConsoleTest, HelpNotesAndClear) {
  auto pty = console();
  pty->type("help\r");
  pty->shows("start stopped ones");
  pty->shows("notes");
  pty->shows(prompt);
  pty->type("help stop\r");
  pty->shows("stop SELECTOR");
  pty->shows(prompt);
  pty->type("notes\r");
  pty->shows("Ctrl-]");
  pty->shows(home() + "/logs/NAME.log");
  pty->shows(prompt);
  pty->type("clear\r");
  pty->shows("\x1b[2J");
  pty->shows(prompt);
}

TEST_F(ConsoleTest, AConsoleInTheConsoleIsRefused) {
  auto pty = console();
  pty->type("console\r");
  pty->shows("usvc: this is the console already");
  pty->shows("[2] usvc> ");
}

TEST_F(ConsoleTest, NoJobSeesThatItWasStartedInAConsole) {
  auto pty = console();
  pty->type("start --name web -- ./probe serve\r");
  pty->shows("web started");
  pty->shows(prompt);  // the command itself has it, and has ended now
  EXPECT_FALSE(contains(read(home() + "/jobs/web.env"), "USVC_CONSOLE"));
  for (const auto& process : own_processes()) {
    EXPECT_FALSE(contains(read("/proc/" + std::to_string(process.pid) + "/environ"), "USVC_CONSOLE"));
  }
}

TEST_F(ConsoleTest, OptionsBeforeConsoleHoldForItsCommands) {
  start({"--name", "web", "--", probe(), "serve"});
  environment().erase("USVC_HOME");
  auto pty = console({"--home", "h", "--json"});
  pty->type("jobs\r");
  pty->shows("[\"web\"]");
  environment()["USVC_HOME"] = home();
}

TEST_F(ConsoleTest, HistoryIsKeptFromSessionToSession) {
  {
    auto pty = console();
    pty->type("jobs --json\r");
    pty->shows("[]");
    pty->shows(prompt);
    pty->type(" pidof secret\r");
    pty->shows("[3] usvc> ");
    pty->type(ctrl_d);
    EXPECT_EQ(pty->finish(), 0);
  }
  EXPECT_EQ(read(history()), "jobs --json\n");
  struct stat info {};
  ASSERT_EQ(::stat(history().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  auto pty = console();
  pty->type("\x1b[A\r");
  pty->shows("[]");
  pty->shows(prompt);
  pty->type(
      "\x12"
      "son\r");  // Ctrl-R
  pty->shows("[]");
}

TEST_F(ConsoleTest, TwoConsolesKeepEachOthersLines) {
  auto one = console();
  auto other = console();
  for (int i = 0; i < 3; ++i) {
    one->type("jobs # one" + std::to_string(i) + "\r");
    one->shows(prompt);
    other->type("jobs # other" + std::to_string(i) + "\r");
    other->shows(prompt);
  }
  one->type(ctrl_d);
  other->type(ctrl_d);
  EXPECT_EQ(one->finish(), 0);
  EXPECT_EQ(other->finish(), 0);
  EXPECT_EQ(lines_of(read(history())).size(), 6U) << read(history());
}

TEST_F(ConsoleTest, TabCompletes) {
  start({"--name", "webserver", "--", probe(), "serve"});
  auto pty = console();
  // Of a word that is completed only the rest is drawn.
  pty->type("pido\twebs\t\r");
  pty->shows(std::to_string(pid_of("webserver")));
  pty->shows(prompt);
  pty->type("st\t\t");
  pty->shows("start");
  pty->shows("status");
  pty->shows("stop");
  pty->shows("usvc> st");
  pty->type(ctrl_c);
  pty->shows(prompt);
  pty->type("conf webserver stop-t\t\r");
  pty->shows("10s");
  pty->shows(prompt);
  pty->type("not\t\r");
  pty->shows("Choosing jobs");
}

TEST_F(ConsoleTest, WideCharactersAreEdited) {
  auto pty = console();
  // Typed, one character of three bytes deleted, and the end typed again.
  pty->type(
      "run -- printf '<%s>' grü漢\x7f\x7f"
      "ß\r");
  pty->shows("<grß>");
}

TEST_F(ConsoleTest, CtrlZStopsItForTheShellAndItGoesOn) {
  start({"--name", "web", "--", probe(), "serve"});
  auto shell = std::make_unique<Pty>(Args{"/bin/bash", "--norc", "--noprofile", "-i"}, environment(), path(""));
  shell->type("PS1='$ '; " + program() + " console\r");
  shell->shows(prompt);
  shell->type("jobs\x1a");
  shell->shows("Stopped");
  shell->shows("$ ");
  shell->type("echo in the sh''ell; fg\r");
  shell->shows("in the shell");
  shell->shows("usvc> jobs");
  shell->type("\r");
  shell->shows("web\r\n");
  shell->shows(prompt);
  // With a command that runs.
  shell->type("events -f\r");
  shell->shows("started");
  shell->type("\x1a");
  shell->shows("Stopped");
  shell->shows("$ ");
  shell->type("fg\r");
  ASSERT_TRUE(wait_until(10s, [&] {
    return contains(read("/proc/" + std::to_string(shell->foreground()) + "/cmdline"), "events");
  })) << "it has the terminal again";
  shell->type(ctrl_c);
  shell->shows(prompt);
  shell->type(ctrl_d);
  shell->shows("$ ");
  shell->type("exit\r");
  EXPECT_EQ(shell->finish(), 0);
}

TEST_F(ConsoleTest, ASignalThatEndsItIsPassedOnAndTheTerminalIsAsItWas) {
  start({"--name", "web", "--", probe(), "serve"});
  auto pty = console();
  pty->type("events -f\r");
  pty->shows("started");
  ASSERT_TRUE(wait_until(10s, [&] { return pty->foreground() != pty->pid(); }));
  ::kill(pty->pid(), SIGTERM);
  EXPECT_EQ(pty->finish(), 128 + SIGTERM);

  auto idle = console();
  ::kill(idle->pid(), SIGTERM);
  EXPECT_EQ(idle->finish(), 128 + SIGTERM);
}

}  // namespace

}  // namespace usvc::test
