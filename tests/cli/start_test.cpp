// usvc start: finding the program, copies and names, what "runs or has failed" means.
#include <algorithm>
#include <filesystem>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using StartTest = CliTest;

TEST_F(StartTest, ReturnsOnceTheJobRuns) {
  const Output output = start({"--name", "web", "--", probe(), "serve"});
  EXPECT_TRUE(contains(output.out, "web")) << output;
  EXPECT_EQ(output.err, "");
  const Job job = status("web");
  EXPECT_EQ(job.state, "running");
  EXPECT_TRUE(alive(job.pid)) << job;
  EXPECT_TRUE(job.wanted);
  EXPECT_EQ(job.deaths, 0);
  EXPECT_EQ(job.runs, 1);
}

TEST_F(StartTest, NumbersCountUpFromOneAndTheLowestFreeOneIsTaken) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  EXPECT_EQ(names({"web"}), (Args{"web-1", "web-2", "web-3"}));
  stop({"web-2"});
  ok({"clean", "web-2"});
  start({"-g", "web", "--", probe(), "serve"});
  EXPECT_EQ(names({"web"}), (Args{"web-1", "web-2", "web-3"}));
  start({"-g", "web", "--", probe(), "serve"});
  EXPECT_EQ(names({"web"}), (Args{"web-1", "web-2", "web-3", "web-4"}));
}

TEST_F(StartTest, GroupIsTheCommandsBaseName) {
  start({"--", probe(), "serve"});
  EXPECT_EQ(status("probe-1").group, "probe");
  start({"--name", "solo", probe(), "serve"});
  EXPECT_EQ(status("solo").group, "probe");
}

TEST_F(StartTest, CommandIsLookedUpLikeAShellWould) {
  const std::string elsewhere = path("elsewhere");
  std::filesystem::create_directory(elsewhere);
  std::filesystem::copy_file(probe(), elsewhere + "/found");
  start({"--name", "by-path", "found", "serve"}, {.env = {{"PATH", "/usr/bin:" + elsewhere}}});
  EXPECT_EQ(status("by-path").cmd, (Args{elsewhere + "/found", "serve"}));
  start({"--name", "relative", "./found", "serve"}, {.cwd = elsewhere});
  EXPECT_EQ(status("relative").state, "running");
  EXPECT_TRUE(status("relative").cmd.at(0).starts_with(elsewhere)) << status("relative");
}

TEST_F(StartTest, EverythingFromTheCommandOnIsTheJobs) {
  start({"-1", "--name", "web", probe(), "args", "--name", "x", "-n", "5", "--", "--json"});
  ASSERT_TRUE(wait_log("web", "--json"));
  EXPECT_EQ(status("web").cmd, (Args{probe(), "args", "--name", "x", "-n", "5", "--", "--json"}));
  EXPECT_EQ(names({"all"}), Args{"web"});
}

TEST_F(StartTest, WordThatNamesStoppedJobsStartsThem) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  stop({"web"});
  start({"web-1"});
  EXPECT_EQ(status("web-1").state, "running");
  EXPECT_EQ(status("web-2").state, "stopped");
  start({"web"});
  EXPECT_EQ(status("web-2").state, "running");
  EXPECT_EQ(names({"all"}), (Args{"web-1", "web-2"}));
}

TEST_F(StartTest, StartingWhatRunsLeavesItAlone) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t before = pid_of("web");
  start({"web"});
  EXPECT_EQ(pid_of("web"), before);
}

TEST_F(StartTest, TakenNameIsRefusedAndTheJobThatHasItIsUntouched) {
  start({"--name", "web", "--", probe(), "serve"});
  const Job before = status("web");
  const Output output = run({"start", "--name", "web", "--", probe(), "print", "other"});
  EXPECT_NE(output.status, 0) << output;
  EXPECT_TRUE(contains(output.err, "web")) << output;
  EXPECT_EQ(status("web").pid, before.pid);
  EXPECT_EQ(status("web").cmd, before.cmd);
}

TEST_F(StartTest, WhatCannotBeExecutedSaysWhy) {
  const std::string plain = write("plain", "#!/bin/sh\n", 0644);
  const std::string interpreter = write("interpreter", "#!/nowhere/perl\nhello\n", 0755);
  std::filesystem::create_directory(path("dir"));
  const struct {
    std::string command;
    std::vector<std::string> said;  // any of them
  } table[] = {
      {path("nosuch"), {"No such file"}}, {"nosuch-command-anywhere", {"not found", "No such file"}},
      {plain, {"Permission denied"}},     {path("dir"), {"irectory", "Permission denied"}},
      {interpreter, {"/nowhere/perl"}},
  };
  for (const auto& row : table) {
    const Output output = fails(1, {"start", "--", row.command});
    EXPECT_TRUE(contains(output.err, row.command)) << output;
    EXPECT_TRUE(
        std::any_of(row.said.begin(), row.said.end(), [&](const auto& text) { return contains(output.err, text); }))
        << row.command << "\n"
        << output;
  }
}

TEST_F(StartTest, DyingYoungIsReportedWithWhyAndTheLastOutput) {
  const Output code = fails(1, {"start", "--name", "a", "--", probe(), "print", "last words", "--", "exit", "3"});
  EXPECT_TRUE(contains(code.err, "last words")) << code;
  EXPECT_TRUE(contains(code.err, "3")) << code;
  const Output signal = fails(1, {"start", "--name", "b", "--", probe(), "crash", "SEGV"});
  EXPECT_TRUE(contains(signal.err, "SEGV")) << signal;
}

TEST_F(StartTest, CopiesThatFailAlikeAreToldOnceAndOthersApart) {
  const std::string script = "echo no database; exit $((USVC_INSTANCE == 3 ? 3 : 2))";
  const Args copies = {"start", "-1", "-n", "8", "-g", "web", "--", "/bin/sh", "-c", script};
  const Output output = fails(1, copies);
  EXPECT_EQ(count_of(output.err, "no database"), 2U) << output;
  EXPECT_EQ(count_of(output.err, "usvc: cannot start"), 2U) << output;
  EXPECT_TRUE(contains(output.err, "usvc: cannot start web-1, web-2, web-4 … web-8 (7 jobs): exit 2")) << output;
  EXPECT_TRUE(contains(output.err, "usvc: cannot start web-3: exit 3 after")) << output;
  const Output all = run(with("--json", copies));
  EXPECT_EQ(all.status, 1);
  EXPECT_EQ(json::parse(all.out).at("results").as_array().size(), 8U) << all;
  const Output kept = fails(1, {"start", "-n", "2", "-g", "bad", "--", probe(), "exit", "2"});
  EXPECT_TRUE(contains(kept.err, "usvc: cannot start bad-1, bad-2: exit 2")) << kept;
  EXPECT_TRUE(contains(kept.err, "usvc stop JOB ends that")) << kept;
}

TEST_F(StartTest, OneCopyThatDiesYoungFailsTheCommandAndTheOthersRun) {
  // The first of three copies to append to the file crashes.
  const Output output =
      run({"start", "-1", "-n", "3", "-g", "web", "--", probe(), "crash-first", "1", path("starts"), "--", "serve"});
  EXPECT_EQ(output.status, 1) << output;
  std::size_t running = 0;
  for (const auto& job : jobs({"web"})) running += job.state == "running" ? 1U : 0U;
  // Two that start at the same moment may both see an empty file.
  EXPECT_GE(running, 1U);
  EXPECT_LE(running, 2U);
}

TEST_F(StartTest, JobThatEndsWellWhileSettlingIsNoFailure) {
  const Output output = run({"start", "-1", "--name", "quick", "--", probe(), "print", "done"});
  EXPECT_EQ(output.status, 0) << output;
  ASSERT_TRUE(wait_state("quick", "stopped"));
  EXPECT_EQ(status("quick").exit_code, 0);
  EXPECT_EQ(log_text("quick"), "done\n");
}

TEST_F(StartTest, QuietSaysNothing) {
  const Output output = ok({"-q", "start", "--name", "web", "--", probe(), "serve"});
  EXPECT_EQ(output.all(), "");
}

TEST_F(StartTest, FirstStartBringsUpTheInstance) {
  EXPECT_TRUE(own_processes().empty());
  start({"--name", "web", "--", probe(), "serve"});
  EXPECT_GT(manager_pid(), 0);
  EXPECT_GT(keeper_pid(), 0);
}

TEST_F(StartTest, TwoFirstStartsAtOnceMakeOneInstance) {
  const auto one = launch({"start", "--name", "one", "--", probe(), "serve"});
  const auto two = launch({"start", "--name", "two", "--", probe(), "serve"});
  const Output first = one->finish(20s);
  const Output second = two->finish(20s);
  EXPECT_EQ(first.status, 0) << first;
  EXPECT_EQ(second.status, 0) << second;
  EXPECT_EQ(names({"all"}), (Args{"one", "two"}));
  EXPECT_TRUE(wait_until(5s, [&] { return own_processes().size() == 2; })) << list(own_processes());
}

TEST_F(StartTest, FilesAreTheUsersAlone) {
  start({"--name", "web", "--", probe(), "serve"}, {.umask = 0});
  for (const auto& entry : std::filesystem::recursive_directory_iterator(home())) {
    const auto others = entry.symlink_status().permissions() & static_cast<std::filesystem::perms>(0077);
    if (entry.is_symlink() || entry.is_socket()) continue;
    EXPECT_EQ(others, std::filesystem::perms::none) << entry.path();
  }
}

}  // namespace

}  // namespace usvc::test
