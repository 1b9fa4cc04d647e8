// usvc run as a part of pipelines: the job reads what run would have read, writes where run writes, and ends as the
// program itself would have ended in its place.
#include <sys/stat.h>

#include <algorithm>
#include <csignal>

#include "cli/cli_test.h"
#include "cli/terminal_driver.h"

namespace usvc::test {

namespace {

class RunPipeTest : public CliTest {
 protected:
  bool nothing_runs() {
    return wait_until(10s, [&] { return job_processes().empty(); });
  }
};

TEST_F(RunPipeTest, ReadsAPipe) {
  const Output output = shell("echo x | usvc run -- cat");
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(output.out, "x\n") << output;
  EXPECT_EQ(output.err, "") << output;
}

TEST_F(RunPipeTest, ReadsAFileFromWhereItStands) {
  write("file", "one\ntwo\nthree\n");
  const Output output = shell("{ read -r first; usvc run -- cat; } < '" + path("file") + "' | wc -l");
  EXPECT_EQ(output.out, "2\n") << output;
}

TEST_F(RunPipeTest, LeavesTheRestToOthers) {
  write("file", "one\ntwo\n");
  const Output output =
      shell("while read -r line; do usvc run -- echo \"$line\"; done < '" + path("file") + "'; echo end");
  EXPECT_EQ(output.out, "one\ntwo\nend\n") << output;
}

TEST_F(RunPipeTest, ManyBytesArriveAsTheyAre) {
  const Output output = shell("head -c 30000000 /dev/urandom | tee '" + path("given") + "' | usvc run -- cat > '" +
                                  path("got") + "'; cmp '" + path("given") + "' '" + path("got") + "' && echo same",
                              {.deadline = 50s});
  EXPECT_EQ(output.out, "same\n") << output;
}

TEST_F(RunPipeTest, TheWriterGetsSigpipe) {
  const Output output = shell("yes | usvc run -- head -1; echo \"${PIPESTATUS[@]}\"", {.deadline = 30s});
  EXPECT_EQ(output.out, "y\n141 0\n") << output;
}

// Not only when run ends.
TEST_F(RunPipeTest, TheWriterGetsSigpipeWhenTheJobReadsNoMore) {
  const auto client = launch_program(shell_line(
      "{ yes; echo \"yes: $?\" >&2; } | usvc run -- bash -c 'exec < /dev/null; echo closed; exec sleep 1000'"));
  EXPECT_TRUE(client->wait_output(20s, [](const Output& o) { return contains(o.err, "yes: 141"); }))
      << client->output();
  stop({"all"});
  EXPECT_TRUE(nothing_runs());
}

TEST_F(RunPipeTest, NoInput) {
  EXPECT_EQ(shell("usvc run -- cat < /dev/null").status, 0);
  const Output closed = shell("usvc run -- cat <&-");
  EXPECT_EQ(closed.status, 1) << closed;
  EXPECT_TRUE(contains(closed.err, "Bad file descriptor")) << closed;
}

TEST_F(RunPipeTest, ASocketToo) {
  const Output output = shell(
      "python3 -c 'import socket, subprocess, sys\n"
      "a, b = socket.socketpair()\n"
      "p = subprocess.Popen(sys.argv[1:], stdin=b)\n"
      "b.close(); a.sendall(b\"through a socket\"); a.close(); sys.exit(p.wait())' '" +
      program() + "' run -- cat");
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(output.out, "through a socket") << output;
}

TEST_F(RunPipeTest, StderrIsKeptApart) {
  const Output output = shell("usvc run -- sh -c 'echo out; echo err >&2; exit 3'");
  EXPECT_EQ(output.status, 3);
  EXPECT_EQ(output.out, "out\n");
  EXPECT_EQ(output.err, "err\n");
}

TEST_F(RunPipeTest, WhatGoesToOnePlaceKeepsItsOrder) {
  const Output output =
      shell("usvc run -- sh -c 'for i in 1 2 3 4 5; do echo $i; echo -$i >&2; done' 2>&1 | tr '\\n' ' '");
  EXPECT_EQ(output.out, "1 -1 2 -2 3 -3 4 -4 5 -5 ");
}

TEST_F(RunPipeTest, EndsWhenNobodyReads) {
  const Output output = shell("usvc run -- yes | head -1; echo \"${PIPESTATUS[@]}\"", {.deadline = 40s});
  EXPECT_EQ(output.out, "y\n141 0\n") << output;
  EXPECT_TRUE(nothing_runs());
  EXPECT_FALSE(status("yes-1").wanted);
}

TEST_F(RunPipeTest, EndsWhenNobodyReadsAndTheSignalIsIgnored) {
  const Output output = shell(
      "usvc run -- bash -c 'trap \"\" PIPE; while sleep 0.1; do echo line; done' | head -1; echo \"${PIPESTATUS[0]}\"",
      {.deadline = 40s});
  EXPECT_EQ(output.out, "line\n143\n") << output;
  EXPECT_TRUE(nothing_runs());
}

TEST_F(RunPipeTest, OutputThatCantBeWrittenEndsItWithAnError) {
  const Output output = shell("usvc run -- yes > /dev/full", {.deadline = 40s});
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "No space left on device")) << output;
  EXPECT_TRUE(nothing_runs());
}

TEST_F(RunPipeTest, SignalsArePassedOn) {
  for (const int number : {SIGINT, SIGTERM}) {
    const auto client = launch_program({program(), "run", "--", probe(), "print", "up", "--", "serve"});
    ASSERT_TRUE(client->wait_output(20s, [](const Output& o) { return contains(o.out, "up"); })) << client->output();
    client->signal(number);
    EXPECT_EQ(client->finish(20s).status, 128 + number);
  }
  EXPECT_TRUE(nothing_runs());
}

// As a terminal would do it: a shell that waits for a child does not answer for it.
TEST_F(RunPipeTest, SignalsReachTheWholeForeground) {
  const auto client = launch_program({program(), "run", "--", "bash", "-c", "echo up; sleep 1000; echo never"});
  ASSERT_TRUE(client->wait_output(20s, [](const Output& o) { return contains(o.out, "up"); })) << client->output();
  client->signal(SIGINT);
  const Output output = client->finish(20s);
  EXPECT_EQ(output.status, 130) << output;
  EXPECT_TRUE(nothing_runs());
}

TEST_F(RunPipeTest, SignalsAreHeededWhileNobodyReads) {
  const auto client = launch_program(
      shell_line("usvc run --name flood -- yes | { read -r line; echo \"$line\" >&2; exec sleep 1000; }"));
  ASSERT_TRUE(client->wait_output(20s, [](const Output& o) { return contains(o.err, "y"); })) << client->output();
  const Output found = run_program({"/usr/bin/env", "pgrep", "-f", "^usvc run --name flood"});
  const pid_t pid = std::atoi(found.out.c_str());
  ASSERT_GT(pid, 1) << found;
  EXPECT_EQ(::kill(pid, SIGTERM), 0);
  EXPECT_TRUE(wait_state("flood", "stopped", 20s));
}

TEST_F(RunPipeTest, AManagerKilledMeanwhileCostsNothing) {
  start({"--name", "other", "--", probe(), "serve"});
  const auto client = launch_program(shell_line(
      "{ for i in $(seq 1 400); do echo $i; sleep 0.01; done; } | usvc run -- cat > '" + path("got") + "'; echo $?"));
  for (int round = 0; round < 4; ++round) {
    const pid_t before = manager_pid();
    kill_hard(before);
    ASSERT_TRUE(wait_until(15s, [&] { return manager_pid() > 0 && manager_pid() != before; }));
  }
  const Output output = client->finish(50s);
  EXPECT_EQ(output.out, "0\n") << output;
  std::string expected;
  for (int i = 1; i <= 400; ++i) expected += std::to_string(i) + "\n";
  EXPECT_EQ(read(path("got")), expected);
}

// The reader waits until the old files are gone.
TEST_F(RunPipeTest, WhatIsLostIsTold) {
  const Output output = shell(
      "usvc run --name flood --log-max-size 64K --log-keep 1 -- bash -c 'echo first; sleep 1; head -c 8000000 "
      "/dev/zero' "
      "| { read -r line; until test \"$(usvc status flood --json | grep -c '\"state\": *\"stopped\"')\" = 1; do sleep "
      "0.1; "
      "done; sleep 1; cat; } > '" +
          path("got") + "'; echo ${PIPESTATUS[0]}",
      {.deadline = 50s});
  EXPECT_EQ(output.out, "5\n") << output;
  EXPECT_TRUE(contains(output.err, " bytes of ")) << output;
}

// A job whose end is waited for while the run can't be shown.
TEST_F(RunPipeTest, AnErrorEndsItAtOnce) {
  start({"--name", "other", "--", probe(), "serve"});
  const auto client = launch_program(shell_line("usvc run --name long -- bash -c 'echo up; exec sleep 1000'"));
  ASSERT_TRUE(client->wait_output(20s, [](const Output& o) { return contains(o.out, "up"); })) << client->output();
  // Of a log that is no file nothing can be read.
  ASSERT_EQ(::rename((home() + "/logs/long.log").c_str(), path("moved").c_str()), 0);
  ASSERT_EQ(::mkdir((home() + "/logs/long.log").c_str(), 0700), 0);
  const Output output = client->finish(20s);
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "long.log")) << output;
  EXPECT_EQ(status("long").state, "running");
}

// Another program in the foreground takes what is typed: run must not wait for more of it.
TEST_F(RunPipeTest, WhatTheJobDoesNotReadStaysAtTheTerminal) {
  TerminalDriver user(
      shell_line("usvc run -- bash -c 'echo up >&2; sleep 2' | cat; read -r one; read -r two; echo \"$one+$two\""),
      environment(), directory());
  ASSERT_TRUE(user.wait_for("up", 20s)) << user.shown();
  user.type("a\nb\nc\n");
  ASSERT_TRUE(user.wait_for("b+c", 30s)) << user.shown();
  EXPECT_EQ(user.finish(20s), 0);
}

TEST_F(RunPipeTest, ATerminalIsCopied) {
  const auto client =
      launch_program(shell_line("usvc run -- cat | tr a-z A-Z"), {.input = "typed\n\x04", .terminal = TerminalSize{}});
  EXPECT_TRUE(client->wait_output(20s, [](const Output& o) { return contains(o.out, "TYPED"); })) << client->output();
  EXPECT_EQ(client->finish(20s).status, 0);
}

}  // namespace

}  // namespace usvc::test
