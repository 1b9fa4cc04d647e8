// usvc save and load: the set of jobs goes through a file and comes out exactly.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class SaveLoadTest : public CliTest {
 protected:
  const Args words_{"args", "",    "two words", "new\nline", "\"quoted\"", "back\\slash",
                    "-x",   "# ;", " edges ",   "=",         "ü"};

  void start_odd_job() {
    Args args{"--name", "odd", "-1", "--restart", "never", "--", probe()};
    args.insert(args.end(), words_.begin(), words_.end());
    start(args);
    ASSERT_TRUE(wait_state("odd", "stopped"));
  }
  // Everything forgotten but what was saved.
  void forget() {
    ok({"stop", "all"});
    ok({"clean", "all"});
    ASSERT_EQ(names({}), Args{});
  }
};

TEST_F(SaveLoadTest, RoundTripsExactly) {
  start_odd_job();
  start({"-n", "3", "-g", "web", "--stop-signal", "INT", "--stop-timeout", "3s", "--no-tty", "--", probe(), "serve"});
  const std::string file = path("saved");
  ok({"save", file});
  EXPECT_EQ(run_program({"/usr/bin/git", "config", "-f", file, "--list"}).status, 0) << read(file);
  forget();
  ok({"load", file});
  EXPECT_EQ(names({}), (Args{"odd", "web-1", "web-2", "web-3"}));
  EXPECT_EQ(status("odd").cmd, with(probe(), words_));
  EXPECT_EQ(ok({"conf", "web-2", "stop-signal"}).out, "INT\n");
  EXPECT_EQ(ok({"conf", "web-3", "tty"}).out, "false\n");
  EXPECT_TRUE(wait_state("web-3", "running"));
  ok({"save", path("again")});
  EXPECT_EQ(read(path("again")), read(file));
}

// All that `-e`, `--env-file`, `stop` and `--limit` have made of them.
TEST_F(SaveLoadTest, AnEmptyInstanceGetsTheSameJobs) {
  write("file.env", "FROM_FILE='a b'\n");
  start({"-n", "2", "-g", "web", "-e", "OWN=two\nlines", "--env-file", path("file.env"), "--limit", "core 0 0", "--",
         probe(), "serve"});
  start({"--name", "plain", "--", probe(), "serve"});
  stop({"web-2"});
  const std::string set = ok({"save", "-"}).out;
  EXPECT_TRUE(contains(set, "env = \"OWN=two\\nlines\"")) << set;
  EXPECT_EQ(count_of(set, "start = false"), 1U) << set;
  EXPECT_EQ(count_of(set, "limit = "), count_of(set, "limit = \"nofile") + count_of(set, "limit = \"core")) << set;
  forget();
  ok({"shutdown"});
  ok({"load", "-"}, {.input = set});
  EXPECT_EQ(names({}), (Args{"plain", "web-1", "web-2"}));
  EXPECT_EQ(status("web-2").state, "stopped");
  EXPECT_FALSE(status("web-2").wanted);
  ASSERT_TRUE(wait_state("web-1", "running"));
  const std::string environment = read("/proc/" + std::to_string(pid_of("web-1")) + "/environ");
  EXPECT_TRUE(contains(environment, "OWN=two\nlines")) << environment;
  EXPECT_TRUE(contains(environment, "FROM_FILE=a b")) << environment;
  EXPECT_EQ(ok({"save", "-"}).out, set);
  ok({"shutdown"});
  EXPECT_EQ(ok({"save", "-"}).out, set) << "what is on disk";
}

TEST_F(SaveLoadTest, AProgramIsNotLookedForWhereAllItsJobsStand) {
  start({"--name", "web", "--", probe(), "serve"});
  const std::string set = "[group \"web\"]\n\tjob = web\n\tcmd = no-such-program\n";
  const Output standing = ok({"load", "-"}, {.input = set});
  EXPECT_TRUE(contains(standing.all(), "it existed already")) << standing;
  const Output more = run({"load", "-"}, {.input = set + "\tjob = other\n"});
  EXPECT_EQ(more.status, 1) << more;
  EXPECT_TRUE(contains(more.err, "no-such-program")) << more;
  EXPECT_EQ(names({}), Args{"web"});
}

TEST_F(SaveLoadTest, ABareWordIsLookedUpAsStartDoesIt) {
  ok({"load", "-"}, {.input = "[group \"web\"]\n\tcmd = sleep\n\targ = 100\n"});
  EXPECT_TRUE(wait_state("web-1", "running"));
  EXPECT_TRUE(status("web-1").cmd.front().ends_with("/sleep")) << status("web-1");
  const Output line = run({"load", "-"}, {.input = "[group \"web\"]\n\tcmd = sleep 100\n"});
  EXPECT_EQ(line.status, 1) << line;
  EXPECT_TRUE(contains(line.err, "[group \"web\"]: cannot start 'sleep 100': command not found (cmd is the program"))
      << line;
  EXPECT_EQ(names({}), Args{"web-1"});
}

TEST_F(SaveLoadTest, WhatIsWrongIsNamedWithFileAndLine) {
  const std::string file = path("set");
  const auto told = [&](const std::string& text) {
    write("set", text);
    return fails(1, {"load", file}).err;
  };
  EXPECT_TRUE(told("[group \"web\"]\n\tcmd = sleep\n\tcopies = 0\n")
                  .starts_with("usvc: cannot load: " + file + ":3: copies = 0"));
  EXPECT_TRUE(told("[group \"web\"]\n\tcmd = sleep\n\tstop-timeout = x\n")
                  .starts_with("usvc: cannot load: " + file + ":3: core.stop-timeout: "));
  EXPECT_TRUE(
      told("\n[grop \"web\"]\n\tcmd = sleep\n").starts_with("usvc: cannot load: " + file + ":3: section [grop]"));
  EXPECT_TRUE(
      told("[group \"web\"]\n\targ = 1\n").starts_with("usvc: cannot load " + file + ": [group \"web\"] has no cmd"));
  EXPECT_TRUE(told(std::string("[group\0", 7)).starts_with("usvc: cannot load: " + file + ":1: "));
  const Output input = run({"load", "-"}, {.input = "[group\n"});
  EXPECT_TRUE(contains(input.err, "cannot load: standard input:1: ")) << input;
  EXPECT_TRUE(names({}).empty());
}

TEST_F(SaveLoadTest, OfTwoJobsOfOneNameNoneIsMade) {
  const Output output =
      run({"load", "-"}, {.input = "[group \"a\"]\n\tjob = web\n\tcmd = " + probe() +
                                   "\n\targ = serve\n[group \"b\"]\n\tjob = web\n\tcmd = /bin/cat\n"});
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "standard input:6: job = web: the set has a job of that name already")) << output;
  EXPECT_TRUE(names({}).empty());
}

TEST_F(SaveLoadTest, WhatTheFileDoesNotSayIsAsTheLoaderHasIt) {
  write("set", "[group \"web\"]\n\tjob = web\n\tcmd = " + probe() +
                   "\n\targ = serve\n[group \"own\"]\n\tjob = own\n\tcmd = " + probe() +
                   "\n\targ = serve\n\tumask = 0077\n\tlimit = nofile 64 64\n");
  const Output output = shell("umask 027; ulimit -n 300; exec usvc load " + path("set"));
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(ok({"conf", "web", "umask"}).out, "0027\n");
  EXPECT_TRUE(contains(read("/proc/" + std::to_string(pid_of("web")) + "/limits"), "Max open files            300 "));
  EXPECT_EQ(ok({"conf", "own", "umask"}).out, "0077\n");
  EXPECT_TRUE(contains(read("/proc/" + std::to_string(pid_of("own")) + "/limits"), "Max open files            64 "));
}

TEST_F(SaveLoadTest, DashIsStdoutAndStdin) {
  start({"--name", "web", "--", probe(), "serve"});
  const std::string text = ok({"save", "-"}).out;
  EXPECT_TRUE(contains(text, probe())) << text;
  forget();
  ok({"load", "-"}, {.input = text});
  EXPECT_TRUE(wait_state("web", "running"));
}

TEST_F(SaveLoadTest, LoadStartsTheInstance) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"save", path("saved")});
  forget();
  ok({"shutdown"});
  ok({"load", path("saved")});
  EXPECT_TRUE(wait_state("web", "running"));
}

TEST_F(SaveLoadTest, WhatCannotBeReadIsNamed) {
  const Output missing = fails(1, {"load", path("nosuch")});
  EXPECT_TRUE(contains(missing.err, path("nosuch"))) << missing;
  write("garbage", "[group \"x\"\nthis is not a file of ours\n");
  const Output garbage = run({"load", path("garbage")});
  EXPECT_EQ(garbage.status, 1) << garbage;
  EXPECT_TRUE(contains(garbage.err, "garbage")) << garbage;
  EXPECT_EQ(names({}), Args{});
  EXPECT_EQ(run({"load"}).status, 2);
  EXPECT_EQ(run({"save"}).status, 2);
}

}  // namespace

}  // namespace usvc::test
