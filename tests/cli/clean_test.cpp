// usvc clean: forgets jobs, keeps their logs, and never touches one that runs.
#include <sys/stat.h>

#include <filesystem>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using CleanTest = CliTest;

std::string only_file_of(const std::string& directory, const std::string& part) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (contains(name, part) && contains(name, ".log") && !contains(name, ".idx")) return entry.path();
  }
  return {};
}

TEST_F(CleanTest, ForgetsAJobAndKeepsItsLog) {
  start({"--name", "web", "--", probe(), "print", "hello", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "hello\n"));
  EXPECT_TRUE(exists(conf_path("web")));
  EXPECT_TRUE(exists(home() + "/jobs/web.env"));
  stop({"web"});
  const Output output = ok({"clean", "web"});
  EXPECT_TRUE(contains(output.out, "web")) << output;
  EXPECT_FALSE(exists(conf_path("web")));
  EXPECT_FALSE(exists(home() + "/jobs/web.env"));
  EXPECT_FALSE(exists(home() + "/work/web"));
  EXPECT_FALSE(exists(home() + "/logs/web.log"));
  EXPECT_EQ(read(only_file_of(home() + "/logs/old", "web")), "hello\n");
  EXPECT_EQ(names({}), Args{});
}

TEST_F(CleanTest, RunningOnesAreSkippedAndNamed) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  stop({"web-1"});
  const Output output = run({"clean", "web"});
  EXPECT_TRUE(contains(output.all(), "web-2")) << output;
  EXPECT_TRUE(contains(output.all(), "run")) << output;
  EXPECT_EQ(names({}), Args{"web-2"});
  EXPECT_EQ(status("web-2").state, "running");
}

TEST_F(CleanTest, AliasesAndDead) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  stop({"web"});
  ok({"rm", "web-1"});
  ok({"delete", "web-2"});
  EXPECT_EQ(names({}), Args{"web-3"});
  ok({"clean", "dead"});
  EXPECT_EQ(names({}), Args{});
}

TEST_F(CleanTest, WhatIsNoPlainFileIsNoLogAndStaysWhereItIs) {
  ASSERT_TRUE(std::filesystem::create_directory(path("mine")));
  write("mine/file", "x\n");
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  start({"--name", "web", "--", probe(), "serve"});
  for (const auto& [log, kind] : {std::pair(path("mine"), "a directory"), std::pair(path("pipe"), "a named pipe"),
                                  std::pair(std::string("/dev/null"), "a device")}) {
    const std::string why = "the log " + log + " cannot be " + kind;
    EXPECT_TRUE(contains(fails(1, {"start", "--log", log, "--", probe(), "serve"}).err, why));
    EXPECT_TRUE(contains(fails(1, {"conf", "web", "log", log}).err, why));
    const std::string set = write("set", "[group \"g\"]\n\tcmd = " + probe() + "\n\tlog = " + log + "\n");
    EXPECT_TRUE(contains(fails(1, {"load", set}).err, why));
  }
  stop({"web"});
  EXPECT_EQ(read(path("mine/file")), "x\n");
  EXPECT_TRUE(std::filesystem::is_fifo(path("pipe")));
  // Written into the conf by hand.
  for (const std::string log : {"mine", "pipe"}) {
    write(conf_path(log), "[core]\n\tcmd = " + probe() + "\n\tlog = " + path(log) + "\n", 0600);
    EXPECT_EQ(run({"start", log}).status, 1);
    EXPECT_LT(run({"rotate", log}).status, 2);
    stop({log});
    ok({"clean", log});
  }
  EXPECT_EQ(read(path("mine/file")), "x\n");
  EXPECT_TRUE(std::filesystem::is_fifo(path("pipe")));
}

TEST_F(CleanTest, WhatHasTheNameOfItsIndexStays) {
  const std::string text(100, 'x');
  write("notes.idx", text);
  const std::string why = path("notes.idx") + ", which is something else";
  EXPECT_TRUE(contains(fails(1, {"start", "--log", path("notes"), "--", probe(), "serve"}).err, why));
  write(conf_path("web"), "[core]\n\tcmd = " + probe() + "\n\targ = serve\n\tlog = " + path("notes") + "\n", 0600);
  EXPECT_TRUE(contains(fails(1, {"start", "web"}).all(), why));
  ok({"stop", "web"});
  ok({"clean", "web"});
  EXPECT_EQ(read(path("notes.idx")), text);
}

TEST_F(CleanTest, AFileThatNoRunHasWrittenToStays) {
  write("notes", "mine\n");
  write("notes.err", "mine too\n");
  write("notes.000001", "and this\n");
  write("no-program", "#!/tmp\n", 0755);
  fails(1, {"start", "--log", path("notes"), "--", path("no-program")});
  EXPECT_EQ(names({}), Args{});
  EXPECT_EQ(read(path("notes")), "mine\n");
  EXPECT_FALSE(exists(path("notes.idx")));
  start({"--name", "web", "-1", "--log", path("notes"), "--", probe(), "print", "ours"});
  ASSERT_TRUE(wait_state("web", "stopped"));
  ok({"clean", "web"});
  EXPECT_FALSE(exists(path("notes")));
  EXPECT_EQ(read(only_file_of(home() + "/logs/old", "web")), "mine\nours\n");
  EXPECT_EQ(read(path("notes.err")), "mine too\n");
  EXPECT_EQ(read(path("notes.000001")), "and this\n");
}

TEST_F(CleanTest, ALogThatAnotherJobHasTooStays) {
  const std::string log = path("both.log");
  std::filesystem::create_directory_symlink(directory(), path("link"));
  start({"--name", "a", "-1", "--log", log, "--", probe(), "print", "one"});
  ASSERT_TRUE(wait_state("a", "stopped"));
  start({"--name", "b", "--log", path("link/both.log"), "--", probe(), "print", "two", "--", "serve"});
  ASSERT_TRUE(wait_until(10s, [&] { return read(log) == "one\ntwo\n"; })) << read(log);
  ok({"clean", "a"});
  EXPECT_EQ(read(log), "one\ntwo\n");
  EXPECT_EQ(only_file_of(home() + "/logs/old", "a.log"), "");
  stop({"b"});
  ok({"clean", "b"});
  EXPECT_FALSE(exists(log));
  EXPECT_EQ(read(only_file_of(home() + "/logs/old", "b.log")), "one\ntwo\n");
}

TEST_F(CleanTest, ALogIsOneJobs) {
  const std::string log = path("mine.log");
  EXPECT_TRUE(contains(fails(1, {"start", "-n", "2", "--log", log, "--", probe(), "serve"}).err, "that of 2 jobs"));
  start({"--name", "a", "--log", log, "--", probe(), "serve"});
  const std::string why = "the log " + log + " is that of a already";
  EXPECT_TRUE(contains(fails(1, {"start", "--name", "b", "--log", log, "--", probe(), "serve"}).err, why));
  start({"--name", "b", "--", probe(), "serve"});
  EXPECT_TRUE(contains(fails(1, {"conf", "b", "log", log}).err, why));
  EXPECT_TRUE(contains(fails(1, {"conf", "b", "log", status("a").log}).err, why));
  ok({"conf", "a", "log", log});
  const std::string set = "[group \"c\"]\n\tjob = c\n\tcmd = " + probe() + "\n\targ = serve\n\tlog = " + log + "\n";
  const Output loaded = run({"load", "-"}, {.input = set});
  EXPECT_EQ(loaded.status, 1) << loaded;
  EXPECT_TRUE(contains(loaded.err, why)) << loaded;
  EXPECT_EQ(names({}), (Args{"a", "b"}));
}

TEST_F(CleanTest, CleanedJobStaysForgotten) {
  start({"--name", "web", "--", probe(), "serve"});
  stop({"web"});
  ok({"clean", "web"});
  ok({"shutdown"});
  ok({"init"});
  EXPECT_EQ(names({}), Args{});
}

TEST_F(CleanTest, SameNameAgainBeginsAnew) {
  start({"--name", "web", "-1", "--", probe(), "print", "old"});
  ASSERT_TRUE(wait_state("web", "stopped"));
  ok({"clean", "web"});
  start({"--name", "web", "--", probe(), "print", "new", "--", "serve"});
  ASSERT_TRUE(wait_log("web", "new\n"));
  EXPECT_EQ(log_text("web"), "new\n");
  EXPECT_EQ(status("web").runs, 1);
}

TEST_F(CleanTest, WrongUsageAndNoMatch) {
  fails(2, {"clean"});
  start({"--name", "web", "--", probe(), "serve"});
  fails(3, {"clean", "nosuch"});
}

}  // namespace

}  // namespace usvc::test
