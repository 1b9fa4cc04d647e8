// Every option of start: what it leaves in the conf, and that it does what it says.
#include <algorithm>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using StartOptionsTest = CliTest;

TEST_F(StartOptionsTest, OptionsAreInTheConf) {
  const struct {
    Args options;
    const char* key;
    Args values;  // any spelling of the same
  } table[] = {
      {{"--once"}, "keepalive", {"false"}},
      {{"-1"}, "keepalive", {"false"}},
      {{"--restart", "on-failure"}, "restart", {"on-failure"}},
      {{"--restart", "never"}, "restart", {"never"}},
      {{"--no-tty"}, "tty", {"false"}},
      {{"--cwd", "/usr"}, "cwd", {"/usr"}},
      {{"-a", "me@example.org"}, "alert", {"me@example.org"}},
      {{"--pre", "echo before"}, "pre-cmd", {"echo before"}},
      {{"--post", "echo after"}, "post-cmd", {"echo after"}},
      {{"--stop-signal", "INT"}, "stop-signal", {"INT", "SIGINT"}},
      {{"--stop-timeout", "1m30s"}, "stop-timeout", {"1m30s", "90s", "90"}},
      {{"--no-runaway-protect"}, "runaway-protect", {"false"}},
      {{"--settle", "0.1"}, "settle", {"0.1", "100ms", "0.1s"}},
  };
  int number = 0;
  for (const auto& row : table) {
    const std::string name = "job" + std::to_string(++number);
    Args args{"--name", name};
    args.insert(args.end(), row.options.begin(), row.options.end());
    args.insert(args.end(), {"--", probe(), "serve"});
    start(args);
    const std::string value = ok({"conf", name, row.key}).out;
    EXPECT_TRUE(std::any_of(row.values.begin(), row.values.end(), [&](const auto& v) { return v + "\n" == value; }))
        << row.key << " is " << value;
    const Output git = run_program({"/usr/bin/git", "config", "-f", conf_path(name), std::string("core.") + row.key});
    EXPECT_EQ(git.out, value) << git;
  }
}

TEST_F(StartOptionsTest, SeveralAlertsAreAllKept) {
  start({"--name", "web", "-a", "a@example.org", "-a", "b@example.org", "--", probe(), "serve"});
  EXPECT_EQ(ok({"conf", "web", "alert"}).out, "a@example.org\nb@example.org\n");
}

TEST_F(StartOptionsTest, WrongValuesAreWrongUsage) {
  const Args table[] = {
      {"-n", "0"},
      {"-n", "-1"},
      {"-n", "x"},
      {"-n", "2", "--name", "web"},
      {"--restart", "sometimes"},
      {"--stop-signal", "NOSUCH"},
      {"--stop-timeout", "soon"},
      {"--stop-timeout", "-1"},
      {"--settle", "x"},
      {"-e", "NOEQUALS"},
      {"--no-such-option"},
  };
  for (const auto& options : table) {
    Args args = with("start", options);
    args.insert(args.end(), {"--", probe(), "serve"});
    fails(2, args);
  }
  EXPECT_EQ(run({"start"}).status, 2);
  EXPECT_EQ(run({"start", "--name"}).status, 2);
  EXPECT_TRUE(job_processes().empty()) << list(job_processes());
}

TEST_F(StartOptionsTest, EnvironmentIsAddedToTheCallersOwn) {
  const std::string file = write("vars", "FROM_FILE=one two\n# a comment\n\nBOTH=file\n");
  start({"-1", "--name", "web", "--env-file", file, "-e", "BOTH=option", "-e", "EMPTY=", "-e", "EQUALS=a=b", "--",
         probe(), "env"},
        {.env = {{"CALLER", "here"}, {"BOTH", "caller"}}});
  ASSERT_TRUE(wait_log("web", "USVC_RUN="));
  const std::string text = "\n" + log_text("web");
  for (const char* line : {"FROM_FILE=one two", "BOTH=option", "EMPTY=", "EQUALS=a=b", "CALLER=here"}) {
    EXPECT_TRUE(contains(text, std::string("\n") + line + "\n")) << line << "\n" << text;
  }
  EXPECT_EQ(count_of(text, "\nBOTH="), 1U) << text;
}

TEST_F(StartOptionsTest, MissingEnvironmentFileIsNamed) {
  const Output output = run({"start", "--env-file", path("nosuch"), "--", probe(), "serve"});
  EXPECT_TRUE(output.status == 1 || output.status == 2) << output;
  EXPECT_TRUE(contains(output.err, path("nosuch"))) << output;
}

TEST_F(StartOptionsTest, LongerSettleCatchesALaterDeath) {
  fails(1, {"start", "--name", "late", "--settle", "5s", "--", probe(), "exit", "9", "after", "600"});
}

TEST_F(StartOptionsTest, ShorterSettleReturnsBeforeALaterDeath) {
  ok({"start", "--name", "late", "--settle", "0.05", "-1", "--", probe(), "wait-file", path("go"), "--", "exit", "9"});
  write("go", "");
  ASSERT_TRUE(wait_state("late", "stopped"));
  EXPECT_EQ(status("late").exit_code, 9);
}

TEST_F(StartOptionsTest, WithoutATerminalThereArePipes) {
  start({"--name", "web", "--no-tty", "--", probe(), "report", "--", "complain", "on stderr", "--", "print",
         "on stdout", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "on stdout\n"));
  EXPECT_TRUE(contains(log_text("web"), "on stderr\n"));
  EXPECT_TRUE(contains(log_text("web"), "\"isatty\":[false,false,false]")) << log_text("web");
  EXPECT_FALSE(status("web").tty);
}

TEST_F(StartOptionsTest, InvalidAndReservedNamesAreWrongUsage) {
  const std::string names[] = {"",     "a/b", "../x", ".hidden", "-dash", "a b", "a\nb", "ümlaut",
                               "usvc", "all", "live", "dead",    "group", "a:b", "a*",   std::string(65, 'x')};
  for (const auto& name : names) {
    const Output by_name = run({"start", "--name=" + name, "--", probe(), "serve"});
    EXPECT_EQ(by_name.status, 2) << "name '" << name << "'\n" << by_name;
    const Output by_group = run({"start", "--group=" + name, "--", probe(), "serve"});
    EXPECT_EQ(by_group.status, 2) << "group '" << name << "'\n" << by_group;
  }
  EXPECT_TRUE(job_processes().empty()) << list(job_processes());
}

TEST_F(StartOptionsTest, LongestNameIsFine) {
  const std::string name(64, 'x');
  start({"--name", name, "--", probe(), "serve"});
  EXPECT_EQ(status(name).state, "running");
}

}  // namespace

}  // namespace usvc::test
