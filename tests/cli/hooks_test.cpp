// Commands before and after a run, and the words that are replaced at each start.
#include <regex>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using HooksTest = CliTest;

TEST_F(HooksTest, RunBeforeAndAfterEachRun) {
  const std::string file = path("hooks");
  start({"--name", "web", "--pre", "echo pre ~JOB_NAME ~DEATHS ~HOSTNAME >> " + file, "--post",
         "echo post ~JOB_NAME ~EXIT_STATUS ~DEATHS ~RUN_LENGTH >> " + file, "--", probe(), "wait-file", path("go"),
         "--", "exit", "4"});
  const std::string host = run_program({"/bin/hostname"}).out;
  EXPECT_EQ(read(file), "pre web 0 " + host);
  write("go", "");
  ASSERT_TRUE(wait_until(10s, [&] { return lines_of(read(file)).size() >= 3; })) << read(file);
  const auto lines = lines_of(read(file));
  EXPECT_TRUE(std::regex_match(lines[1], std::regex("post web 4 1 [0-9.]+[a-z]*"))) << lines[1];
  EXPECT_EQ(lines[2] + "\n", "pre web 1 " + host);
}

TEST_F(HooksTest, AreToldInTheJournal) {
  start({"--name", "web", "-1", "--pre", "true", "--post", "true", "--", probe(), "print", "x"});
  ASSERT_TRUE(wait_state("web", "stopped"));
  EXPECT_EQ(journal_names("web"), "starting pre-run running exited post-run stopped");
}

TEST_F(HooksTest, RunInTheJobsSurroundings) {
  start({"--name", "web", "-e", "MINE=1", "--cwd", "/usr", "--pre",
         "pwd > " + path("out") + "; echo $MINE $USVC_JOB >> " + path("out"), "--", probe(), "serve"});
  EXPECT_EQ(read(path("out")), "/usr\n1 web\n");
}

TEST_F(HooksTest, WholeArgumentsAreReplaced) {
  start({"--name", "web", "-1", "--", probe(), "args", "~JOB_NAME", "x~JOB_NAME", "~DEATHS", "~NOSUCH", "~"});
  ASSERT_TRUE(wait_state("web", "stopped"));
  EXPECT_EQ(log_text("web"), "\"web\"\n\"x~JOB_NAME\"\n\"0\"\n\"~NOSUCH\"\n\"~\"\n");
}

TEST_F(HooksTest, AreReplacedAnewAtEachStart) {
  start({"--name", "web", "--", probe(), "print", "~DEATHS", "--", "serve"});
  const pid_t first = pid_of("web");
  kill_hard(first);
  ASSERT_GT(wait_new_pid("web", first), 0);
  EXPECT_TRUE(wait_log("web", "0\n1\n"));
  EXPECT_EQ(status("web").cmd.at(2), "~DEATHS");
}

TEST_F(HooksTest, LeaveNothingBehind) {
  start({"--name", "web", "--pre", probe() + " fork-daemon; " + probe() + " setsid-child", "--", probe(), "serve"});
  const pid_t daemon = logged_pid("web", "daemon");
  const pid_t child = logged_pid("web", "setsid-child");
  stop({"web"});
  expect_gone(daemon, "the hook's daemon");
  expect_gone(child, "the hook's child");
}

TEST_F(HooksTest, StopDoesNotWaitForAHookThatHangs) {
  const auto starter = launch({"start", "--name", "web", "--stop-timeout", "0.3", "--pre", probe() + " serve", "--",
                               probe(), "print", "never"});
  ASSERT_TRUE(wait_state("web", "pre-run"));
  ok({"stop", "web"}, {.deadline = 10s});
  EXPECT_EQ(status("web").state, "stopped");
  EXPECT_TRUE(job_processes().empty()) << list(job_processes());
  EXPECT_NE(starter->finish(10s).status, 0);
}

TEST_F(HooksTest, OneThatFailsBeforeTheRunIsNotTakenForTheProgram) {
  const Output output =
      fails(1, {"start", "--name", "web", "--pre", "echo no database; exit 3", "--", probe(), "serve"});
  EXPECT_TRUE(contains(output.err, "the pre-run hook failed: exit 3")) << output;
  ASSERT_TRUE(wait_state("web", "waiting"));
  EXPECT_TRUE(contains(ok({"status"}).out, "! the pre-run hook failed: exit 3")) << ok({"status"});
  const std::string why = ok({"why", "web"}).out;
  for (const std::string part : {"the pre-run hook failed: exit 3", "The program itself was not started", "web.log",
                                 "usvc logchunk web.", "no database"}) {
    EXPECT_TRUE(contains(why, part)) << "no '" << part << "' in: " << why;
  }
  EXPECT_FALSE(contains(why, "exited with status 3")) << why;
  const std::string events = ok({"events", "web"}).out;
  EXPECT_TRUE(contains(events, "the pre-run hook failed: exit 3")) << events;
  EXPECT_FALSE(contains(events, "exited: exit 3")) << events;
}

TEST_F(HooksTest, ThatEndAtOnceKeepTheOrderOfEvents) {
  start({"--name", "web", "-1", "--settle", "0", "--pre", "true", "--post", "true", "--", probe(), "print", "x"});
  (void)run({"start", "--name", "bad", "--pre", "false", "--", probe(), "serve"});
  ASSERT_TRUE(wait_state("bad", "waiting"));
  ASSERT_TRUE(wait_state("web", "stopped"));
  for (const std::string job : {"web", "bad"}) {
    double last = 0;
    for (const auto& event : events({job})) {
      const auto now = number_of(event, "t");
      ASSERT_TRUE(now) << text_of(event, "event");
      EXPECT_GE(*now, last) << job << ": " << text_of(event, "event");
      last = *now;
    }
  }
}

TEST_F(HooksTest, OneThatIsStoppedHasNotFailed) {
  const auto starter = launch({"start", "--name", "web", "--pre", probe() + " serve", "--", probe(), "serve"});
  ASSERT_TRUE(wait_state("web", "pre-run"));
  stop({"web"});
  const std::string events = ok({"events", "web"}).out;
  EXPECT_TRUE(contains(events, "the pre-run hook was ended: killed by TERM")) << events;
  EXPECT_NE(starter->finish(10s).status, 0);
}

}  // namespace

}  // namespace usvc::test
