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
