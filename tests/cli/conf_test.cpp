// usvc conf: a git-config file that people, git and usvc edit in turn.
#include <filesystem>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class ConfTest : public CliTest {
 protected:
  Output git(const std::string& job, Args args) {
    Args all{"/usr/bin/git", "config", "-f", conf_path(job)};
    all.insert(all.end(), args.begin(), args.end());
    return run_program(all);
  }
};

TEST_F(ConfTest, PathsOneALine) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  EXPECT_EQ(ok({"conf", "web"}).out, conf_path("web-1") + "\n" + conf_path("web-2") + "\n");
  EXPECT_EQ(ok({"conf", "web-2"}).out, conf_path("web-2") + "\n");
}

TEST_F(ConfTest, ReadsAndSetsAValueWithOrWithoutTheSection) {
  start({"--name", "web", "--", probe(), "serve"});
  EXPECT_EQ(ok({"conf", "web", "cmd"}).out, probe() + "\n");
  EXPECT_EQ(ok({"conf", "web", "core.cmd"}).out, probe() + "\n");
  ok({"conf", "web", "stop-timeout", "7s"});
  EXPECT_EQ(git("web", {"core.stop-timeout"}).out, "7s\n");
  ok({"conf", "web", "core.restart", "on-failure"});
  EXPECT_EQ(ok({"conf", "web", "restart"}).out, "on-failure\n");
}

// As `start ./worker` names it.
TEST_F(ConfTest, TheOnlyJobOfAGroupGoesByItsName) {
  start({"-g", "web", "--", probe(), "serve"});
  ok({"conf", "web", "stop-timeout", "7s"});
  EXPECT_EQ(ok({"conf", "web", "stop-timeout"}).out, "7s\n");
  EXPECT_EQ(git("web-1", {"core.stop-timeout"}).out, "7s\n");
  EXPECT_TRUE(contains(fails(3, {"conf", "live", "stop-timeout"}).err, "'live' is not one job (name one, like web-1)"));
  start({"-g", "web", "--", probe(), "serve"});
  EXPECT_TRUE(contains(fails(3, {"conf", "web", "stop-timeout"}).err, "'web' is not one job (name one, like web-1)"));
}

TEST_F(ConfTest, GitReadsExactlyWhatWasGiven) {
  const Args words{"",
                   " leading and trailing ",
                   "two\nlines",
                   "quote\" and \\backslash",
                   "# no comment; none",
                   "-x",
                   "tab\t",
                   "'single'",
                   "ünïcode"};
  Args args{"-1", "--name", "web", "--", probe(), "args"};
  args.insert(args.end(), words.begin(), words.end());
  start(args);
  std::string expected = std::string("args") + '\0';
  for (const auto& word : words) expected += word + '\0';
  EXPECT_EQ(git("web", {"-z", "--get-all", "core.arg"}).out, expected);
}

TEST_F(ConfTest, HandEditsSurviveAndTakeEffectAtTheNextStart) {
  start({"--name", "web", "--", probe(), "serve"});
  const std::string before = read(conf_path("web"));
  write(conf_path("web"), "# mine, keep it\n" + before, 0600);
  ASSERT_EQ(git("web", {"--add", "core.arg", "x"}).status, 0);
  ASSERT_EQ(git("web", {"--unset-all", "core.arg"}).status, 0);
  ASSERT_EQ(git("web", {"--add", "core.arg", "print"}).status, 0);
  ASSERT_EQ(git("web", {"--add", "core.arg", "edited"}).status, 0);
  ok({"conf", "web", "keepalive", "false"});
  EXPECT_TRUE(contains(read(conf_path("web")), "# mine, keep it\n"));
  ok({"restart", "web"});
  ASSERT_TRUE(wait_log("web", "edited\n"));
  EXPECT_TRUE(contains(read(conf_path("web")), "# mine, keep it\n"));
}

TEST_F(ConfTest, IncludedFileCounts) {
  start({"--name", "web", "--", probe(), "serve"});
  const std::string shared = write("shared.conf", "[core]\n\tstop-signal = INT\n");
  ASSERT_EQ(git("web", {"include.path", shared}).status, 0);
  EXPECT_EQ(ok({"conf", "web", "stop-signal"}).out, "INT\n");
}

TEST_F(ConfTest, WrongValueIsRefusedAndNothingChanges) {
  start({"--name", "web", "--", probe(), "serve"});
  const std::string before = read(conf_path("web"));
  for (const Args& pair : {Args{"restart", "sometimes"}, Args{"stop-timeout", "never"}, Args{"stop-signal", "NOSUCH"},
                           Args{"keepalive", "perhaps"}, Args{"tree", "oak"}}) {
    const Output output = run({"conf", "web", pair[0], pair[1]});
    EXPECT_TRUE(output.status == 1 || output.status == 2) << pair[0] << "\n" << output;
    EXPECT_TRUE(contains(output.err, pair[0])) << output;
  }
  EXPECT_EQ(read(conf_path("web")), before);
}

TEST_F(ConfTest, MistypedKeyGetsASuggestion) {
  start({"--name", "web", "--", probe(), "serve"});
  for (const Args& args : {Args{"conf", "web", "stop-timout"}, Args{"conf", "web", "stop-timout", "5s"}}) {
    const Output output = run(args);
    EXPECT_NE(output.status, 0) << output;
    EXPECT_TRUE(contains(output.err, "stop-timeout")) << output;
  }
}

TEST_F(ConfTest, AKeyTakesOneValue) {
  start({"--name", "web", "--", probe(), "serve"});
  const Output arg = fails(2, {"conf", "web", "arg", "5", "6"});
  EXPECT_TRUE(contains(arg.err, "arg takes one value (several of arg are lines of the file")) << arg;
  const Output alert = fails(2, {"conf", "web", "core.cwd", "/a", "b"});
  EXPECT_TRUE(contains(alert.err, "cwd takes one value (quote")) << alert;
}

TEST_F(ConfTest, AnEmptyValueRemovesAKey) {
  start(
      {"--name", "web", "-a", "a@example.org", "-a", "b@example.org", "--stop-timeout", "7s", "--", probe(), "serve"});
  write(conf_path("web"), "# mine, keep it\n" + read(conf_path("web")), 0600);
  ok({"conf", "web", "alert", ""});
  EXPECT_EQ(git("web", {"--get-all", "core.alert"}).status, 1);
  ok({"conf", "web", "alert", ""});
  ok({"conf", "web", "stop-timeout", ""});
  EXPECT_EQ(ok({"conf", "web", "stop-timeout"}).out, "10s\n");
  const Output cmd = run({"conf", "web", "cmd", ""});
  EXPECT_NE(cmd.status, 0) << cmd;
  EXPECT_EQ(ok({"conf", "web", "cmd"}).out, probe() + "\n");
  EXPECT_TRUE(contains(read(conf_path("web")), "# mine, keep it\n"));
  const std::string shared = write("shared.conf", "[core]\n\tstop-signal = INT\n");
  ASSERT_EQ(git("web", {"include.path", shared}).status, 0);
  EXPECT_TRUE(contains(fails(1, {"conf", "web", "stop-signal", ""}).err, "includes"));
}

TEST_F(ConfTest, ABareCmdIsLookedForInTheJobsPath) {
  environment()["PATH"] = path("bin") + ":" + environment()["PATH"];
  start({"--name", "web", "--", probe(), "serve"});
  write("mine", "#!/bin/sh\necho not this one\n", 0755);
  ok({"conf", "web", "cwd", path("")});
  ok({"conf", "web", "cmd", "mine"});
  const Output missing = fails(1, {"restart", "web"});
  EXPECT_TRUE(contains(missing.err, "cannot start 'mine': command not found")) << missing;
  EXPECT_EQ(status("web").state, "running");
  std::filesystem::create_directory(path("bin"));
  std::filesystem::create_symlink(probe(), path("bin/mine"));
  ok({"restart", "web"});
  EXPECT_EQ(status("web").state, "running");
  EXPECT_EQ(status("web").cmd, (Args{"mine", "serve"}));
  EXPECT_EQ(std::filesystem::read_symlink("/proc/" + std::to_string(pid_of("web")) + "/exe"), probe());
  EXPECT_EQ(ok({"conf", "web", "cmd"}).out, "mine\n");
  EXPECT_TRUE(contains(ok({"save", "-"}).out, "cmd = mine\n"));
}

TEST_F(ConfTest, WhatIsNotSetIsSaid) {
  start({"--name", "web", "--", probe(), "serve"});
  EXPECT_TRUE(contains(fails(1, {"conf", "web", "alert"}).err, "alert is not set in " + conf_path("web")));
  const Output document = fails(1, {"--json", "conf", "web", "alert"});
  EXPECT_TRUE(json::parse(document.out).is_object()) << document;
  const Output nosuch = fails(2, {"conf", "web", "nosuch"});
  EXPECT_TRUE(contains(nosuch.err, "'nosuch' is neither a job nor a key")) << nosuch;
}

TEST_F(ConfTest, AKeyThatIsNotSetHasTheValueInForce) {
  start({"--name", "web", "--", probe(), "serve"});
  EXPECT_EQ(ok({"conf", "web", "log"}).out, status("web").log + "\n");
  EXPECT_EQ(json({"conf", "web", "tree"}).as_array().at(0).as_string(), "auto");
  EXPECT_EQ(ok({"conf", "web", "keepalive"}).out, "true\n");
  ok({"conf", "web", "restart", "never"});
  EXPECT_EQ(ok({"conf", "web", "keepalive"}).out, "false\n");
  start({"-1", "--name", "once", "--", probe(), "serve"});
  EXPECT_EQ(ok({"conf", "once", "restart"}).out, "never\n");
  // Also where another program wrote the conf.
  write("h/jobs/bare.conf", "[core]\n\tcmd = " + probe() + "\n", 0600);
  EXPECT_EQ(ok({"conf", "bare", "group"}).out, "bare\n");
  EXPECT_EQ(ok({"conf", "bare", "cwd"}).out, "/\n");
}

TEST_F(ConfTest, WorksWithoutAnInstance) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  EXPECT_EQ(ok({"conf", "web"}).out, conf_path("web") + "\n");
  EXPECT_EQ(ok({"conf", "web", "cmd"}).out, probe() + "\n");
  EXPECT_TRUE(own_processes().empty());
}

TEST_F(ConfTest, WrongUsageAndNoMatch) {
  fails(2, {"conf"});
  start({"--name", "web", "--", probe(), "serve"});
  fails(3, {"conf", "nosuch"});
  fails(3, {"conf", "nosuch", "cmd"});
}

}  // namespace

}  // namespace usvc::test
