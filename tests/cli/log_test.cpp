// usvc log: the bytes a job wrote, all of them and nothing else.
#include <csignal>

#include "cli/cli_test.h"
#include "cli/hand_made_log.h"

namespace usvc::test {

namespace {

using LogTest = CliTest;

TEST_F(LogTest, ShowsWhatTheJobWrote) {
  start({"--name", "web", "--", probe(), "print", "one", "two", "three", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "three\n"));
  EXPECT_EQ(log_text("web"), "one\ntwo\nthree\n") << "a terminal's line ends must be plain";
  EXPECT_EQ(ok({"log", "web"}).out, "one\ntwo\nthree\n");
  EXPECT_EQ(ok({"logs", "web"}).out, "one\ntwo\nthree\n");
  EXPECT_EQ(ok({"log", "--raw", "web"}).out, "one\ntwo\nthree\n");
}

TEST_F(LogTest, LastLinesOnly) {
  start({"--name", "web", "--", probe(), "print", "one", "two", "three", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "three\n"));
  EXPECT_EQ(ok({"log", "-n", "2", "web"}).out, "two\nthree\n");
  EXPECT_EQ(ok({"log", "-n", "100", "web"}).out, "one\ntwo\nthree\n");
  EXPECT_EQ(ok({"log", "-n", "0", "web"}).out, "");
  EXPECT_EQ(run({"log", "-n", "x", "web"}).status, 2);
}

TEST_F(LogTest, LineWithoutAnEndIsShownToo) {
  start({"--name", "web", "--", probe(), "flood", "30", "20", "--", "serve"});
  const std::string expected = "1 xxxxxxxxxxxxxxxxx\n2 xxxxxxxx";
  ASSERT_TRUE(wait_until(5s, [&] { return log_text("web") == expected; })) << log_text("web");
  EXPECT_TRUE(contains(ok({"log", "-n", "1", "web"}).out, "2 xxxxxxxx"));
}

class FollowTest : public CliTest, public testing::WithParamInterface<const char*> {};

TEST_P(FollowTest, ShowsWhatComes) {
  const std::string command = GetParam();
  start({"--name", "web", "--", probe(), "print", "before", "--", "wait-file", path("go"), "--", "print", "after", "--",
         "serve"});
  ASSERT_TRUE(wait_log("web", "before\n"));
  const auto follower = launch(command == "tail" ? Args{"tail", "web"} : Args{"log", "-f", "web"});
  EXPECT_TRUE(follower->wait_output(5s, [](const Output& o) { return contains(o.out, "before\n"); }))
      << follower->output();
  write("go", "");
  EXPECT_TRUE(follower->wait_output(5s, [](const Output& o) { return contains(o.out, "after\n"); }))
      << follower->output();
  // And across a restart of the job.
  const pid_t before = pid_of("web");
  kill_hard(before);
  ASSERT_GT(wait_new_pid("web", before), 0);
  EXPECT_TRUE(follower->wait_output(5s, [](const Output& o) { return count_of(o.out, "after\n") == 2; }))
      << follower->output();
  follower->signal(SIGINT);
  const Output output = follower->finish(5s);
  EXPECT_EQ(output.out, "before\nafter\nbefore\nafter\n");
  EXPECT_EQ(output.err, "");
}
INSTANTIATE_TEST_SUITE_P(Both, FollowTest, testing::Values("log", "tail"),
                         [](const auto& one) { return std::string(one.param); });

TEST_F(LogTest, SeveralJobsArePrefixedWithTheirNames) {
  start({"--name", "a", "--", probe(), "print", "from a", "--", "serve"});
  start({"--name", "b", "--", probe(), "print", "from b", "--", "serve"});
  ASSERT_TRUE(wait_log("a", "from a\n") && wait_log("b", "from b\n"));
  const auto lines = lines_of(ok({"log", "a", "b"}).out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].starts_with("a") && lines[0].ends_with("from a")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("b") && lines[1].ends_with("from b")) << lines[1];
}

TEST_F(LogTest, PathIsOfTheFileThatHoldsTheBytes) {
  start({"--name", "web", "--", probe(), "print", "hello", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "hello\n"));
  const auto paths = lines_of(ok({"log", "--path", "web"}).out);
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(read(paths[0]), "hello\n");
  EXPECT_EQ(status("web").log, paths[0]);
}

TEST_F(LogTest, WorksWithoutAnInstance) {
  start({"--name", "web", "--", probe(), "print", "hello", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "hello\n"));
  ok({"shutdown"});
  EXPECT_EQ(ok({"log", "web"}).out, "hello\n");
  EXPECT_TRUE(own_processes().empty());
}

TEST_F(LogTest, JobThatWroteNothing) {
  start({"--name", "web", "--", probe(), "serve"});
  EXPECT_EQ(ok({"log", "web"}).out, "");
}

TEST_F(LogTest, WrongUsageAndNoMatch) {
  fails(2, {"log"});
  fails(3, {"log", "nosuch"});
}

// Every byte, in order, through a terminal and through pipes.
class FloodTest : public CliTest, public testing::WithParamInterface<const char*> {};

TEST_P(FloodTest, EveryByteIsThereOnce) {
  Args args{"--name", "flood", "-1"};
  if (std::string(GetParam()) == "pipes") args.emplace_back("--no-tty");
  args.insert(args.end(), {"--", probe(), "flood", "5000000", "100"});
  start(args);
  ASSERT_TRUE(wait_state("flood", "stopped", 40s));
  const std::string text = log_text("flood");
  ASSERT_EQ(text.size(), 5000000U);
  const auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 50000U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ASSERT_TRUE(lines[i].size() == 99 && lines[i].starts_with(std::to_string(i + 1) + " ")) << lines[i];
  }
}
INSTANTIATE_TEST_SUITE_P(Both, FloodTest, testing::Values("terminal", "pipes"),
                         [](const auto& one) { return std::string(one.param); });

TEST_F(LogTest, EveryByteOfFiftyAtOnce) {
  constexpr int jobs = 50;
  constexpr int rounds = 30;
  const std::string bytes = random_bytes(10'000, 3);
  write("bytes", bytes);
  write("writer",
        "#!/bin/sh\nuntil [ -e go ]; do sleep 0.05; done\nfor i in $(seq " + std::to_string(rounds) +
            "); do echo $i of $USVC_JOB; cat bytes; done\n",
        0755);
  start({"-n", std::to_string(jobs), "-g", "many", "-1", "--no-tty", "--log-max-size", "100K", "--settle", "0", "--cwd",
         path(""), "--", path("writer")},
        {.deadline = 60s});
  write("go", "");
  ASSERT_TRUE(wait_until(90s, [&] { return lines_of(run({"jobs", "state:stopped"}).out).size() == jobs; }));
  for (int number = 1; number <= jobs; ++number) {
    const std::string name = "many-" + std::to_string(number);
    std::string expected;
    for (int i = 1; i <= rounds; ++i) expected += std::to_string(i) + " of " + name + "\n" + bytes;
    const std::string shown = ok({"log", "-n", "all", name}).out;
    EXPECT_TRUE(shown == expected) << name << ": " << shown.size() << " bytes of " << expected.size();
  }
}

TEST_F(LogTest, AStderrThatWouldBeAnotherJobsLogIsRefused) {
  write("both", "#!/bin/sh\necho out\necho err >&2\nexec sleep 1000\n", 0755);
  start({"--name", "web", "--no-tty", "--split", "--", path("both")});
  const Output second = run({"start", "--name", "web.err", "--", path("both")});
  EXPECT_EQ(second.status, 1) << second;
  EXPECT_TRUE(contains(second.out + second.err, "where job web keeps its stderr")) << second;
  stop({"web"});
  ok({"conf", "web", "split", "false"});
  ok({"start", "web"});  // reads its conf again
  start({"--name", "web.err", "--", path("both")});
  ASSERT_TRUE(wait_log("web", "out\nerr\n"));
  EXPECT_EQ(ok({"log", "--run", "-1", "web"}).out, "out\nerr\n") << "the other's output is not its stderr";
  stop({"web"});
  ok({"conf", "web", "split", "true"});
  const Output again = run({"start", "web"});
  EXPECT_EQ(again.status, 1) << again;
  EXPECT_TRUE(contains(again.out + again.err, "the log of job web.err")) << again;
}

TEST_F(LogTest, OutputOfEveryRunFollowsThatOfTheOneBefore) {
  start({"--name", "web", "-1", "--", probe(), "print", "run"});
  ASSERT_TRUE(wait_state("web", "stopped"));
  start({"web"});
  ASSERT_TRUE(wait_state("web", "stopped"));
  EXPECT_TRUE(wait_until(5s, [&] { return log_text("web") == "run\nrun\n"; })) << log_text("web");
}

TEST_F(LogTest, JobThatClosesItsOutputRunsOn) {
  start({"--name", "quiet", "--", probe(), "print", "bye", "--", "close-output"});
  ASSERT_TRUE(wait_log("quiet", "bye\n"));
  const Job job = status("quiet");
  EXPECT_EQ(job.state, "running");
  EXPECT_TRUE(alive(job.pid));
  EXPECT_EQ(job.deaths, 0);
}

}  // namespace

}  // namespace usvc::test
