// usvc log -f: goes on through rotation, truncation, clean, restarts of jobs and of the manager, and sees jobs that
// come.
#include <csignal>
#include <cstdio>

#include "cli/cli_test.h"
#include "cli/hand_made_log.h"

namespace usvc::test {

namespace {

class LogFollowTest : public CliTest {
 protected:
  // A job that prints what is put into the file NAME.say, line by line.
  void start_talker(const std::string& name) {
    write(name + ".say", "");
    write("talk", "#!/bin/sh\necho begin\nexec tail -n +1 -f --pid=$$ \"$1\"\n", 0755);
    start({"--name", name, "--", path("talk"), path(name + ".say")});
  }
  void say(const std::string& name, const std::string& text) { write(name + ".say", read(path(name + ".say")) + text); }
  static void expect_quiet_end(Child& follower) {
    follower.signal(SIGINT);
    const Output output = follower.finish(10s);
    EXPECT_EQ(output.status, 128 + SIGINT);
    EXPECT_EQ(output.err, "");
  }
  static bool shows(Child& follower, const std::string& text) {
    const bool shown = follower.wait_output(15s, [&](const Output& o) { return contains(o.out, text); });
    EXPECT_TRUE(shown) << text << " is not shown: " << follower.output();
    return shown;
  }
};

TEST_F(LogFollowTest, ThroughRotationByHand) {
  HandMadeLog log(home(), "web");
  start({"--name", "web", "-1", "--", probe(), "print", "begin"});
  ASSERT_TRUE(wait_state("web", "stopped"));
  ok({"shutdown"});
  for (const char* end : {"", ".idx"}) std::remove((log.path() + end).c_str());
  log.run(1, 1'764'072'000, "one\n");
  const auto follower = launch({"log", "-f", "web"});
  ASSERT_TRUE(shows(*follower, "one\n"));
  log.write(1'764'072'001, "two\n");
  log.rotate();
  log.write(1'764'072'002, "three\n");
  log.rotate();
  log.compress(2, 100);
  log.write(1'764'072'003, "four\n");
  ASSERT_TRUE(shows(*follower, "four\n"));
  EXPECT_EQ(follower->output().out, log.all());
  expect_quiet_end(*follower);
}

TEST_F(LogFollowTest, EndsWhenNobodyReadsItAlsoWhereNothingComes) {
  start_talker("web");
  ASSERT_TRUE(wait_log("web", "begin\n"));
  const Output lines = shell("usvc log -f web | head -1; echo ${PIPESTATUS[0]}", {.deadline = 15s});
  EXPECT_EQ(lines.out, "begin\n141\n") << lines;
  const Output events = shell("usvc events -f | head -1; echo ${PIPESTATUS[0]}", {.deadline = 15s});
  EXPECT_TRUE(events.out.ends_with("\n141\n")) << events;
}

TEST_F(LogFollowTest, OfAGroupThatIsNotThereYet) {
  ok({"init"});
  const auto follower = launch({"log", "-f", "web"});
  ASSERT_TRUE(follower->wait_output(15s, [](const Output& o) { return contains(o.err, "waiting for one"); }));
  start({"-n", "2", "-g", "web", "--", probe(), "print", "hello", "--", "serve"});
  ASSERT_TRUE(shows(*follower, "web-1 | hello\n"));
  ASSERT_TRUE(shows(*follower, "web-2 | hello\n"));
  follower->signal(SIGINT);
  EXPECT_EQ(follower->finish(10s).status, 128 + SIGINT);
}

TEST_F(LogFollowTest, EndsWhileMoreComesThanItCanShow) {
  start({"--name", "web", "--no-tty", "--log-max-size", "4M", "--log-keep", "1", "--", "/usr/bin/yes"});
  const auto follower = launch({"log", "-f", "web"});
  ASSERT_TRUE(shows(*follower, "y\n"));
  expect_quiet_end(*follower);
}

TEST_F(LogFollowTest, ThroughTruncation) {
  start({"--name", "web", "--", probe(), "print", "a long first line", "--", "wait-file", path("go"), "--", "print",
         "new", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "line\n"));
  const auto follower = launch({"log", "-f", "web"});
  ASSERT_TRUE(shows(*follower, "a long first line\n"));
  write("h/logs/web.log", "");
  write("go", "");
  ASSERT_TRUE(shows(*follower, "new\n"));
  expect_quiet_end(*follower);
}

TEST_F(LogFollowTest, ThroughAKilledManager) {
  start({"--name", "web", "--", probe(), "print", "one", "--", "wait-file", path("go"), "--", "print", "two", "--",
         "serve"});
  ASSERT_TRUE(wait_log("web", "one\n"));
  const auto follower = launch({"log", "-f", "web"});
  ASSERT_TRUE(shows(*follower, "one\n"));
  const pid_t before = manager_pid();
  kill_hard(before);
  write("go", "");
  ASSERT_TRUE(shows(*follower, "two\n"));
  EXPECT_TRUE(wait_until(15s, [&] { return manager_pid() > 0 && manager_pid() != before; }));
  EXPECT_EQ(follower->output().out, "one\ntwo\n");
  expect_quiet_end(*follower);
}

TEST_F(LogFollowTest, JobsOfAGroupThatComeLater) {
  start({"-g", "web", "--", probe(), "print", "from the first", "--", "serve"});
  ASSERT_TRUE(wait_log("web-1", "first\n"));
  const auto follower = launch({"log", "-f", "web"});
  ASSERT_TRUE(shows(*follower, "web-1 | from the first\n"));
  start({"-g", "web", "--", probe(), "print", "from the second", "--", "serve"});
  ASSERT_TRUE(shows(*follower, "web-2 | from the second\n"));
  expect_quiet_end(*follower);
}

TEST_F(LogFollowTest, ThroughClean) {
  start({"--name", "web", "-1", "--", probe(), "print", "old"});
  ASSERT_TRUE(wait_state("web", "stopped"));
  const auto follower = launch({"log", "-f", "web"});
  ASSERT_TRUE(shows(*follower, "old\n"));
  ok({"clean", "web"});
  start({"--name", "web", "-1", "--", probe(), "print", "anew"});
  ASSERT_TRUE(shows(*follower, "anew\n"));
  EXPECT_EQ(follower->output().out, "old\nanew\n");
  expect_quiet_end(*follower);
}

TEST_F(LogFollowTest, EveryByteWhileTheWriterIsRotatedFast) {
  const std::string bytes = random_bytes(std::size_t{100} << 10U, 7);
  write("bytes", bytes);
  write("writer",
        "#!/bin/sh\nuntil [ -e go ]; do sleep 0.02; done\n" +
            std::string("for i in $(seq 40); do cat bytes; sleep 0.01; done\necho the end\n"),
        0755);
  start({"--name", "web", "-1", "--no-tty", "--log-max-size", "64K", "--log-keep", "1000", "--cwd", path(""), "--",
         path("writer")});
  // All lines: a follower may begin after the writer.
  const auto follower = launch({"log", "-f", "-n", "all", "web"});
  const auto another = launch({"log", "-f", "-n", "all", "--raw", "web"});
  write("go", "");
  std::string all;
  for (int i = 0; i < 40; ++i) all += bytes;
  all += "the end\n";
  for (const auto& one : {follower.get(), another.get()}) {
    EXPECT_TRUE(one->wait_output(60s, [&](const Output& o) { return o.out.ends_with("the end\n"); }));
    EXPECT_TRUE(one->output().out == all) << one->output().out.size() << " bytes of " << all.size();
    expect_quiet_end(*one);
  }
  EXPECT_GE(lines_of(ok({"log", "--path", "web"}).out).size(), 20U) << "it was rotated";
  EXPECT_TRUE(ok({"log", "-n", "all", "web"}).out == all);
}

TEST_F(LogFollowTest, AnErrorLogThatAppearsLater) {
  start({"-g", "web", "--no-tty", "--", probe(), "print", "together", "--", "serve"});
  ASSERT_TRUE(wait_log("web-1", "together\n"));
  const auto all = launch({"log", "-f", "web"});
  const auto one = launch({"log", "-f", "web-1"});
  ASSERT_TRUE(shows(*all, "web-1 | together\n"));
  ASSERT_TRUE(shows(*one, "together\n"));
  // Of a job that comes, and of one that is known and changes.
  write("both", "#!/bin/sh\necho to stdout\necho to stderr >&2\nexec sleep 1000\n", 0755);
  start({"-g", "web", "--no-tty", "--split", "--", path("both")});
  ASSERT_TRUE(shows(*all, "web-2 | to stdout\n"));
  ASSERT_TRUE(shows(*all, "web-2 ! to stderr\n"));
  ok({"conf", "web-1", "split", "true"});
  ok({"conf", "web-1", "cmd", path("both")});
  ok({"restart", "web-1"});
  ASSERT_TRUE(shows(*all, "web-1 ! to stderr\n"));
  ASSERT_TRUE(shows(*one, "to stdout\n"));
  ASSERT_TRUE(shows(*one, "! to stderr\n"));
  expect_quiet_end(*all);
  expect_quiet_end(*one);
}

TEST_F(LogFollowTest, RemarksStandBetweenTheLinesOnATerminal) {
  start({"--name", "web", "--", probe(), "print", "hello", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "hello\n"));
  RunOptions options;
  options.terminal = TerminalSize{24, 200};
  const auto follower = launch({"log", "-f", "web"}, options);
  ASSERT_TRUE(shows(*follower, "hello"));
  const pid_t before = pid_of("web");
  kill_hard(before);
  ASSERT_GT(wait_new_pid("web", before), 0);
  ASSERT_TRUE(follower->wait_output(15s, [](const Output& o) { return count_of(o.out, "hello") == 2; }))
      << follower->output();
  ASSERT_TRUE(shows(*follower, "killed by KILL"));
  const std::string text = without_escapes(follower->output().out);
  EXPECT_LT(text.find("hello"), text.find("-- web exited: killed by KILL")) << text;
  EXPECT_FALSE(contains(log_text("web"), "--")) << "never in the log itself";
  expect_quiet_end(*follower);
}

class LogTerminalTest : public LogFollowTest {
 protected:
  void start_writer(const std::string& script) {
    write("writer", "#!/bin/sh\n" + script, 0755);
    start({"--name", "web", "-1", "--", path("writer")});
    ASSERT_TRUE(wait_state("web", "stopped"));
  }
  Output on_terminal(const Args& args) {
    RunOptions options;
    options.terminal = TerminalSize{24, 200};
    options.env = std::vector<std::pair<std::string, std::optional<std::string>>>{{"PAGER", "sed 's/^/paged: /'"},
                                                                                  {"NO_COLOR", std::nullopt}};
    return run(args, options);
  }
};

TEST_F(LogTerminalTest, WhatHarmsATerminalIsLeftOutAndColoursStay) {
  start_writer("printf '\\033]0;title\\007\\033[31mred\\033[0m\\033[6n\\033]52;c;aGk=\\007 end\\n'\n");
  const Output shown = on_terminal({"log", "web"});
  EXPECT_TRUE(contains(shown.out, "\x1b[31mred\x1b[0m end")) << shown;
  EXPECT_FALSE(contains(shown.out, "title") || contains(shown.out, "\x1b[6n") || contains(shown.out, "aGk=")) << shown;
  EXPECT_TRUE(contains(without_escapes(shown.out), "-- web exited: exit 0")) << shown;
  EXPECT_TRUE(contains(without_escapes(shown.out), "-- web started, pid")) << shown;
  EXPECT_TRUE(contains(on_terminal({"log", "--raw", "web"}).out, "\x1b]0;title\a"));
  EXPECT_TRUE(contains(ok({"log", "web"}).out, "\x1b]0;title\a")) << "a pipe gets the bytes untouched";
}

TEST_F(LogTerminalTest, OfALineThatOverwritesItselfTheLastStateIsShown) {
  start_writer("printf '\\r 10%%\\r 50%%\\r100%%\\nwait |\\b/\\b-\\bdone\\n'\n");
  const Output shown = on_terminal({"log", "web"});
  EXPECT_TRUE(contains(shown.out, "100%") && contains(shown.out, "wait done")) << shown;
  EXPECT_FALSE(contains(shown.out, "50%") || contains(shown.out, "|")) << shown;
  EXPECT_TRUE(contains(on_terminal({"log", "--raw", "web"}).out, "\r 50%\r100%"));
  EXPECT_EQ(ok({"log", "web"}).out, "\r 10%\r 50%\r100%\nwait |\b/\b-\bdone\n");
}

TEST_F(LogTerminalTest, TheLineThatIsBeingWrittenIsFollowed) {
  write("writer",
        "#!/bin/sh\necho begin\nprintf '\\r 10%%'; until [ -e go ]; do sleep 0.02; done\n"
        "printf '\\r 50%%'; until [ -e on ]; do sleep 0.02; done\nprintf '\\r100%%\\n'; exec sleep 1000\n",
        0755);
  start({"--name", "web", "--cwd", path(""), "--", path("writer")});
  RunOptions options;
  options.terminal = TerminalSize{24, 40};
  const auto follower = launch({"log", "-f", "web"}, options);
  ASSERT_TRUE(shows(*follower, "begin\r\n 10%"));
  write("go", "");
  ASSERT_TRUE(shows(*follower, "\r    \r 50%"));
  write("on", "");
  ASSERT_TRUE(shows(*follower, "\r    \r100%\r\n"));
  expect_quiet_end(*follower);
}

TEST_F(LogTerminalTest, ALongOneGoesThroughThePager) {
  start_writer("seq 1 90\n");
  EXPECT_TRUE(contains(on_terminal({"log", "web"}).out, "paged: 50")) << "long";
  EXPECT_FALSE(contains(on_terminal({"log", "-n", "5", "web"}).out, "paged:")) << "short";
  EXPECT_FALSE(contains(on_terminal({"log", "--no-pager", "web"}).out, "paged:"));
  EXPECT_FALSE(contains(on_terminal({"log", "--raw", "web"}).out, "paged:"));
  EXPECT_FALSE(contains(ok({"log", "web"}, {.env = {{"PAGER", "sed 's/^/paged: /'"}}}).out, "paged:")) << "a pipe";
}

TEST_F(LogTerminalTest, ThePagerBeginsWhereWhatWasAskedForDoes) {
  start_writer("seq 1 90\n");
  const auto less = [&](const Args& args, const std::optional<std::string>& own) {
    RunOptions options;
    options.terminal = TerminalSize{24, 80};
    options.env = std::vector<std::pair<std::string, std::optional<std::string>>>{
        {"PAGER", "echo \"less has ($LESS)\"; cat"}, {"LESS", own}};
    return run(args, options).out;
  };
  EXPECT_TRUE(contains(less({"log", "web"}, std::nullopt), "less has (FRX$+G)"));
  EXPECT_TRUE(contains(less({"log", "web"}, "-R"), "less has (-R$+G)"));
  EXPECT_TRUE(contains(less({"log", "web"}, "-R +/50"), "less has (-R +/50)"));
  EXPECT_TRUE(contains(less({"log", "--since", "1h", "web"}, std::nullopt), "less has (FRX)"));
}

TEST_F(LogTerminalTest, APagerThatIsLeftEarlyIsNoError) {
  start_writer("seq 1 200000\n");
  RunOptions options;
  options.terminal = TerminalSize{24, 80};
  options.env = std::vector<std::pair<std::string, std::optional<std::string>>>{{"PAGER", "head -n 3"}};
  const Output output = run({"log", "-n", "all", "web"}, options);
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_FALSE(contains(output.out, "usvc:")) << output;
}

TEST_F(LogTerminalTest, APagerThatIsNotThereIsDoneWithout) {
  start_writer("seq 1 90\n");
  RunOptions options;
  options.terminal = TerminalSize{24, 80};
  options.env = std::vector<std::pair<std::string, std::optional<std::string>>>{{"PAGER", "nosuchpager -x"}};
  const Output output = run({"log", "web"}, options);
  EXPECT_TRUE(contains(output.out, "the pager nosuchpager is not found")) << output;
  EXPECT_TRUE(contains(output.out, "\r\n90\r\n")) << output;
}

}  // namespace

}  // namespace usvc::test
