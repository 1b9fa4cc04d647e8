// What a job is given: exactly what its user had when typing start, and nothing of usvc's own.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class EnvironmentTest : public CliTest {
 protected:
  // What the probe says of itself as the job `name`, started with these options.
  json::object report_of(const std::string& name, const Args& options = {}, const RunOptions& caller = {}) {
    Args args{"--name", name};
    args.insert(args.end(), options.begin(), options.end());
    args.insert(args.end(), {"--", probe(), "report", "--", "serve"});
    start(args, caller);
    json::value report;
    wait_until(5s, [&] {
      boost::system::error_code error;
      const std::string text = log_text(name);
      if (!text.ends_with("}\n")) return false;
      report = json::parse(text, error);
      return !error;
    });
    if (report.is_object()) return report.get_object();
    ADD_FAILURE() << "no report in the log of " << name << ":\n" << log_text(name);
    return {};
  }
  std::map<std::string, std::string> environment_of(pid_t pid) {
    std::map<std::string, std::string> result;
    const std::string text = read("/proc/" + std::to_string(pid) + "/environ");
    for (std::size_t at = 0; at < text.size();) {
      const std::string entry = text.c_str() + at;
      result[entry.substr(0, entry.find('='))] = entry.substr(entry.find('=') + 1);
      at += entry.size() + 1;
    }
    return result;
  }
};

TEST_F(EnvironmentTest, ArgumentsAreExact) {
  const Args words{
      "",     " ",  "two words", "\"double\"", "'single'", "new\nline", "tab\t",   "back\\slash", "$HOME `id` ;",
      "*",    "-x", "--long=1",  "--",         "#",        "=",         "ünïcode", "trailing ",   "\x01",
      "%s%n", "~"};
  Args args{"--name", "web", "-1", "--", probe(), "args"};
  args.insert(args.end(), words.begin(), words.end());
  start(args);
  ASSERT_TRUE(wait_state("web", "stopped"));
  Args seen;
  for (const auto& line : lines_of(log_text("web"))) seen.emplace_back(json::parse(line).as_string());
  EXPECT_EQ(seen, words);
  const Args shown = status("web").cmd;
  EXPECT_EQ(Args(shown.begin() + 2, shown.end()), words);
}

TEST_F(EnvironmentTest, ManyAndLongArguments) {
  Args args{"--name", "web", "-1", "--", probe(), "args"};
  for (int i = 0; i < 2000; ++i) args.push_back("argument " + std::to_string(i));
  args.emplace_back(100000, 'z');
  start(args);
  ASSERT_TRUE(wait_state("web", "stopped"));
  const auto lines = lines_of(log_text("web"));
  ASSERT_EQ(lines.size(), 2001U);
  EXPECT_EQ(lines[1999], "\"argument 1999\"");
  EXPECT_EQ(lines[2000].size(), 100002U);
}

TEST_F(EnvironmentTest, VariablesAreTheCallersAndTheJobsOwn) {
  const RunOptions caller{.env = {{"SPACES", " a b "}, {"LINES_", "one\ntwo"}, {"EMPTY", ""}, {"EQUALS", "a=b"}}};
  start({"-n", "2", "-g", "web", "--", probe(), "serve"}, caller);
  const Job job = status("web-2");
  auto seen = environment_of(job.pid);
  EXPECT_EQ(seen["SPACES"], " a b ");
  EXPECT_EQ(seen["LINES_"], "one\ntwo");
  EXPECT_EQ(seen["EQUALS"], "a=b");
  EXPECT_TRUE(seen.contains("EMPTY"));
  EXPECT_EQ(seen["PATH"], environment()["PATH"]);
  EXPECT_EQ(seen["USVC_JOB"], "web-2");
  EXPECT_EQ(seen["USVC_GROUP"], "web");
  EXPECT_EQ(seen["USVC_INSTANCE"], "2");
  EXPECT_EQ(seen["USVC_RUN"], job.run_id);
  EXPECT_EQ(seen["USVC_WORK"], home() + "/work/web-2");
  EXPECT_TRUE(exists(seen["USVC_WORK"]));
  // Nothing of usvc's own comes along.
  const std::set<std::string> known{"SPACES",     "LINES_",        "EMPTY",        "EQUALS",       "PATH",
                                    "LANG",       "TERM",          "HOME",         "USVC_HOME",    "USVC_JOB",
                                    "USVC_GROUP", "USVC_INSTANCE", "USVC_RUN",     "USVC_WORK",    "USVC_ALLOW_ROOT",
                                    "TZ",         "ASAN_OPTIONS",  "LSAN_OPTIONS", "UBSAN_OPTIONS"};
  for (const auto& [key, value] : seen) EXPECT_TRUE(known.contains(key)) << key << "=" << value;
}

TEST_F(EnvironmentTest, RunIdIsNewForEachRun) {
  start({"--name", "web", "--", probe(), "serve"});
  const Job first = status("web");
  ok({"restart", "web"});
  const Job second = status("web");
  EXPECT_NE(first.run_id, second.run_id);
  EXPECT_EQ(environment_of(second.pid)["USVC_RUN"], second.run_id);
}

TEST_F(EnvironmentTest, CapturedWhenStartIsTypedNotWhenTheJobIsStarted) {
  start({"--name", "web", "--", probe(), "serve"}, {.env = {{"WHO", "first"}}});
  environment()["WHO"] = "second";
  ok({"restart", "web"});
  EXPECT_EQ(environment_of(pid_of("web"))["WHO"], "first");
}

TEST_F(EnvironmentTest, DirectoryMaskLimitsAndNicenessAreTheCallers) {
  // The first caller starts the instance; the second must not get what the first had.
  report_of("first");
  RunOptions caller;
  caller.cwd = "/usr/share";
  caller.umask = 027;
  caller.nice = 5;
  caller.limits = {{RLIMIT_NOFILE, {123, 456}}, {RLIMIT_CORE, {0, 0}}, {RLIMIT_STACK, {4U << 20U, RLIM_INFINITY}}};
  const auto report = report_of("second", {}, caller);
  EXPECT_EQ(text_of(report, "cwd"), "/usr/share");
  EXPECT_EQ(number_of(report, "umask"), 027);
  EXPECT_EQ(number_of(report, "nice"), 5);
  const auto& limits = report.at("limits").as_object();
  EXPECT_EQ(limits.at("nofile"), (json::array{123, 456}));
  EXPECT_EQ(limits.at("core"), (json::array{0, 0}));
  EXPECT_EQ(limits.at("stack"), (json::array{4 << 20, -1}));
}

TEST_F(EnvironmentTest, LimitsAreNotUsvcsRaisedOnes) {
  RunOptions caller;
  caller.limits = {{RLIMIT_NOFILE, {300, 4000}}};
  const auto report = report_of("web", {}, caller);
  EXPECT_EQ(report.at("limits").as_object().at("nofile"), (json::array{300, 4000}));
  ok({"restart", "web"});
  ASSERT_TRUE(wait_until(5s, [&] { return count_of(log_text("web"), "}\n") == 2; }));
  EXPECT_EQ(count_of(log_text("web"), "\"nofile\":[300,4000]"), 2U) << log_text("web");
}

TEST_F(EnvironmentTest, SignalsAreAsAProgramExpectsThem) {
  RunOptions caller;
  caller.in_child = [] {
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGCHLD}) std::signal(number, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGCHLD);
    sigprocmask(SIG_SETMASK, &all, nullptr);
  };
  for (const Args& options : {Args{}, Args{"--no-tty"}}) {
    const auto report = report_of(options.empty() ? "terminal" : "pipes", options, caller);
    EXPECT_EQ(report.at("ignored"), json::array{}) << json::serialize(report);
    EXPECT_EQ(report.at("blocked"), json::array{}) << json::serialize(report);
  }
}

TEST_F(EnvironmentTest, OnlyTheStandardDescriptorsAreOpen) {
  RunOptions caller;
  caller.in_child = [] { (void)!fcntl(STDIN_FILENO, F_DUPFD, 57); };
  for (const Args& options : {Args{}, Args{"--no-tty"}}) {
    const auto report = report_of(options.empty() ? "terminal" : "pipes", options, caller);
    const auto& descriptors = report.at("fds").as_object();
    EXPECT_EQ(descriptors.size(), 3U) << json::serialize(report);
    for (const char* fd : {"0", "1", "2"}) EXPECT_TRUE(descriptors.contains(fd)) << json::serialize(report);
  }
}

TEST_F(EnvironmentTest, TerminalIsTheJobsOwn) {
  const auto report = report_of("web");
  EXPECT_EQ(report.at("isatty"), (json::array{true, true, true}));
  ASSERT_TRUE(report.at("terminal").is_object()) << "no controlling terminal: " << json::serialize(report);
  const auto& terminal = report.at("terminal").as_object();
  EXPECT_EQ(terminal.at("foreground"), json::value(true));
  EXPECT_GT(number_of(terminal, "rows").value_or(0), 0);
  EXPECT_GT(number_of(terminal, "columns").value_or(0), 0);
  EXPECT_EQ(number_of(report, "sid"), number_of(report, "pid")) << "a session of its own";
  EXPECT_EQ(number_of(report, "pgid"), number_of(report, "pid")) << "a group of its own";
  EXPECT_EQ(number_of(report, "ppid"), keeper_pid());
  EXPECT_FALSE(contains(log_text("web"), "\r"));
}

TEST_F(EnvironmentTest, WithoutATerminalThereIsStillASession) {
  const auto report = report_of("web", {"--no-tty"});
  EXPECT_EQ(report.at("isatty"), (json::array{false, false, false}));
  EXPECT_TRUE(report.at("terminal").is_null()) << json::serialize(report);
  EXPECT_EQ(number_of(report, "sid"), number_of(report, "pid"));
  EXPECT_EQ(number_of(report, "pgid"), number_of(report, "pid"));
}

TEST_F(EnvironmentTest, WorkingDirectoryThatIsGoneIsNamed) {
  const std::string gone = path("gone");
  const Output output = fails(1, {"start", "--name", "web", "--cwd", gone, "--", probe(), "serve"});
  EXPECT_TRUE(contains(output.err, gone)) << output;
}

}  // namespace

}  // namespace usvc::test
