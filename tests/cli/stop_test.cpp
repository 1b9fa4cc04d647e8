// usvc stop: the signal, the patience, the kill, and that nothing is left of the job's whole tree.
#include <csignal>

#include "cli/cli_test.h"
#include "cli/network.h"

namespace usvc::test {

namespace {

using StopTest = CliTest;

TEST_F(StopTest, EndsTheJobAndItStaysStopped) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t pid = pid_of("web");
  const Output output = stop({"web"});
  EXPECT_TRUE(contains(output.out, "web")) << output;
  expect_gone(pid, "the job");
  const Job job = status("web");
  EXPECT_EQ(job.state, "stopped");
  EXPECT_EQ(job.pid, 0);
  EXPECT_FALSE(job.wanted);
  EXPECT_EQ(job.deaths, 0) << "an end that was asked for is no death";
  EXPECT_EQ(job.exit_signal, "TERM");
}

TEST_F(StopTest, StopsAUnionOfSelectors) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  start({"--name", "other", "--", probe(), "serve"});
  stop({"web-1", "web-3", "web-1"});
  EXPECT_EQ(names({"live"}), (Args{"other", "web-2"}));
  EXPECT_EQ(names({"dead"}), (Args{"web-1", "web-3"}));
}

TEST_F(StopTest, OneThatIgnoresTheSignalIsKilledAndNamed) {
  start({"--name", "deaf", "--stop-timeout", "0.3", "--", probe(), "ignore", "TERM", "--", "serve"});
  start({"--name", "polite", "--", probe(), "serve"});
  const pid_t pid = pid_of("deaf");
  const Output output = stop({"deaf", "polite"});
  expect_gone(pid, "the job");
  EXPECT_TRUE(contains(output.all(), "kill")) << output;
  for (const auto& line : lines_of(output.all())) {
    if (!contains(line, "kill")) continue;
    EXPECT_TRUE(contains(line, "deaf") && !contains(line, "polite")) << output;
  }
  EXPECT_EQ(status("deaf").exit_signal, "KILL");
  EXPECT_EQ(status("deaf").deaths, 0);
}

TEST_F(StopTest, StopSignalIsTheJobsOwn) {
  start({"--name", "web", "--stop-signal", "INT", "--", probe(), "catch", "INT", "exit", "7", "--", "serve"});
  stop({"web"});
  EXPECT_EQ(log_text("web"), "caught INT\n");
  EXPECT_EQ(status("web").exit_code, 7);
  EXPECT_EQ(status("web").deaths, 0);
}

TEST_F(StopTest, StoppingWhatDoesNotRunIsDone) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  stop({"web"});
  EXPECT_EQ(status("web").state, "stopped");
}

TEST_F(StopTest, EndsACountdown) {
  start({"--name", "bad", "--", probe(), "wait-file", path("go"), "--", "exit", "1"});
  write("go", "");
  ASSERT_TRUE(wait_state("bad", "waiting"));
  stop({"bad"});
  EXPECT_EQ(status("bad").state, "stopped");
  EXPECT_FALSE(status("bad").wanted);
}

// A job that ignores the stop signal, while a stop of it goes on.
class StopMeanwhileTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    start({"--name", "deaf", "--stop-timeout", "6", "--", probe(), "ignore", "TERM", "--", "serve"});
    before_ = pid_of("deaf");
    stop_ = launch({"stop", "deaf"});
    ASSERT_TRUE(wait_state("deaf", "stopping"));
  }
  // The stop told the truth, and the job runs anew.
  void expect_stopped_and_started() {
    const Output stopped = stop_->finish(20s);
    EXPECT_EQ(stopped.status, 0) << stopped;
    EXPECT_TRUE(contains(stopped.out, "had to be killed: TERM did not end it within 6s")) << stopped;
    EXPECT_TRUE(contains(stopped.out, "asked to start again meanwhile")) << stopped;
    expect_gone(before_, "the process that was to be stopped");
    const pid_t after = wait_new_pid("deaf", before_);
    EXPECT_EQ(job_processes().size(), 1U) << list(job_processes());
    EXPECT_EQ(journal_names("deaf"), "starting running stopping exited starting running");
    const auto exits = events_of("deaf", "exited");
    ASSERT_EQ(exits.size(), 1U);
    EXPECT_EQ(text_of(exits.front(), "signal"), "KILL");
    EXPECT_TRUE(exits.front().contains("forced") && exits.front().at("forced").as_bool()) << exits.front();
    EXPECT_TRUE(contains(ok({"events", "deaf"}).out, "the stop signal was not enough"));
    EXPECT_TRUE(contains(ok({"why", "deaf"}).out, "the stop signal was not enough"));
    EXPECT_GT(after, 0);
    EXPECT_EQ(status("deaf").deaths, 0);
  }
  void expect_started(const Output& output) {
    EXPECT_EQ(output.status, 0) << output;
    EXPECT_FALSE(alive(before_)) << "answered while the old process still lived: " << output;
    EXPECT_TRUE(contains(output.out, "pid " + std::to_string(pid_of("deaf")))) << output;
  }

  pid_t before_ = 0;
  std::unique_ptr<Child> stop_;
};

TEST_F(StopMeanwhileTest, AStartComesAfterTheStop) {
  const auto second = launch({"start", "deaf"});
  expect_started(ok({"start", "deaf"}));
  expect_started(second->finish(20s));
  expect_stopped_and_started();
}

TEST_F(StopMeanwhileTest, ARestartComesAfterTheStop) {
  expect_started(ok({"restart", "deaf"}));
  expect_stopped_and_started();
}

TEST_F(StopMeanwhileTest, TheManagerIsKilledWithBothUnderWay) {
  const auto starting = launch({"start", "deaf"});
  ASSERT_TRUE(wait_until(10s, [&] { return status("deaf").wanted; }));
  kill_hard(manager_pid());
  expect_started(starting->finish(20s));
  const Output stopped = stop_->finish(20s);
  EXPECT_EQ(stopped.status, 0) << stopped;
  EXPECT_TRUE(contains(stopped.out, "had to be killed")) << stopped;
  EXPECT_TRUE(contains(stopped.out, "asked to start again")) << stopped;
}

TEST_F(StopTest, AStartThatIsOvertakenByAStopAndAStartAnswers) {
  const auto first = launch({"start", "--name", "web", "--settle", "2", "--stop-timeout", "5", "--", probe(), "ignore",
                             "TERM", "--", "serve"});
  ASSERT_TRUE(wait_state("web", "running"));
  const auto stopping = launch({"stop", "web"});
  ASSERT_TRUE(wait_state("web", "stopping"));
  ok({"start", "web"});
  const Output output = first->finish(20s);
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_TRUE(contains(output.out, std::to_string(pid_of("web")))) << output;
  EXPECT_EQ(stopping->finish(20s).status, 0);
}

TEST_F(StopTest, AStartDuringARestartTellsTheNewProcess) {
  start({"--name", "web", "--stop-timeout", "1", "--", probe(), "ignore", "TERM", "--", "serve"});
  const pid_t before = pid_of("web");
  const auto restarting = launch({"restart", "web"});
  ASSERT_TRUE(wait_state("web", "stopping"));
  const Output output = ok({"start", "web"});
  EXPECT_FALSE(alive(before)) << output;
  EXPECT_TRUE(contains(output.out, "pid " + std::to_string(pid_of("web")))) << output;
  EXPECT_EQ(restarting->finish(20s).status, 0);
  EXPECT_EQ(status("web").runs, 2);
}

TEST_F(StopTest, WrongUsageAndNoMatch) {
  fails(2, {"stop"});
  start({"--name", "web", "--", probe(), "serve"});
  fails(3, {"stop", "nosuch"});
  fails(3, {"stop", "zz-*"});
  EXPECT_EQ(status("web").state, "running");
}

// What stays behind, and the word under which its pid is in the log.
struct Stray {
  const char* name;
  Args modes;
  const char* word;
};
void PrintTo(const Stray& stray, std::ostream* stream) {
  *stream << stray.name;
}

class StopTreeTest : public CliTest, public testing::WithParamInterface<Stray> {};

TEST_P(StopTreeTest, NothingIsLeftOfTheTree) {
  Args args{"--name", "tree", "--stop-timeout", "0.5", "--", probe()};
  args.insert(args.end(), GetParam().modes.begin(), GetParam().modes.end());
  args.insert(args.end(), {"--", "serve"});
  start(args);
  const pid_t stray = logged_pid("tree", GetParam().word);
  ASSERT_TRUE(alive(stray));
  stop({"tree"});
  expect_gone(stray, GetParam().name);
  EXPECT_TRUE(job_processes().empty()) << list(job_processes());
}

TEST_P(StopTreeTest, NothingIsLeftWhenTheMainProcessHasDiedBefore) {
  Args args{"--name", "tree", "-1", "--stop-timeout", "0.5", "--", probe()};
  args.insert(args.end(), GetParam().modes.begin(), GetParam().modes.end());
  args.insert(args.end(), {"--", "wait-file", path("go"), "--", "exit", "0"});
  start(args);
  const pid_t stray = logged_pid("tree", GetParam().word);
  write("go", "");
  ASSERT_TRUE(wait_state("tree", "stopped", 20s));
  EXPECT_TRUE(wait_until(5s, [&] { return !alive(stray); })) << list(std::vector<pid_t>{stray});
}

const Stray strays[] = {
    {"child", {"child"}, "child"},
    {"deaf_child", {"child", "--ignore", "TERM"}, "child"},
    {"setsid_child", {"setsid-child"}, "setsid-child"},
    {"deaf_setsid_child", {"setsid-child", "--ignore", "TERM"}, "setsid-child"},
    {"daemon", {"fork-daemon"}, "daemon"},
    {"holder_of_the_terminal", {"holdtty"}, "holder"},
};
INSTANTIATE_TEST_SUITE_P(Strays, StopTreeTest, testing::ValuesIn(strays),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_F(StopTest, TreeIsSweptBeforeARestartSoThatThePortIsFreeAgain) {
  const std::string port = std::to_string(free_port());
  // The daemon holds the port; the main process dies. Its next run's daemon could not bind if the first one lived.
  start({"--name", "tree", "--", probe(), "count-file", path("starts"), "--", "fork-daemon", "listen", port, "--",
         "serve"});
  const pid_t daemon = logged_pid("tree", "daemon");
  ASSERT_TRUE(wait_until(5s, [&] { return talk(std::stoi(port), "").has_value(); }));
  const pid_t before = pid_of("tree");
  kill_hard(before);
  ASSERT_GT(wait_new_pid("tree", before), 0);
  expect_gone(daemon, "the first run's daemon");
  std::string answer;
  EXPECT_TRUE(wait_until(5s, [&] {
    answer = talk(std::stoi(port), "").value_or("");
    return contains(answer, "pid ");
  }));
  EXPECT_FALSE(contains(answer, "pid " + std::to_string(daemon) + "\n"));
}

TEST_F(StopTest, OtherJobsOfTheSameProgramAreUntouched) {
  start({"-n", "2", "-g", "tree", "--", probe(), "fork-daemon", "--", "setsid-child", "--", "serve"});
  const pid_t other = logged_pid("tree-2", "daemon");
  const pid_t child = logged_pid("tree-2", "setsid-child");
  const pid_t main_pid = pid_of("tree-2");
  logged_pid("tree-1", "setsid-child");
  stop({"tree-1"});
  EXPECT_TRUE(alive(other));
  EXPECT_TRUE(alive(child));
  EXPECT_TRUE(alive(main_pid));
}

}  // namespace

}  // namespace usvc::test
