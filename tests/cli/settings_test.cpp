// usvc.conf: defaults of the options of start, and the instance's own settings.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class SettingsTest : public CliTest {
 protected:
  // Into the instance's own file; the directory is made by the first command.
  void settings(const std::string& text) {
    ok({"init"});
    write("h/usvc.conf", text, 0600);
  }
  std::string conf_value(const std::string& job, const std::string& key) {
    const Output output = run({"conf", job, key});
    return output.status == 0 ? output.out : "";
  }
};

TEST_F(SettingsTest, DefaultsAreWrittenIntoNewJobs) {
  settings("[start]\n\tstop-timeout = 30s\n\tgroup = mine\n\talert = true\n\tumask = 027\n\ttty = false\n");
  start({"--", probe(), "serve"});
  EXPECT_EQ(status("mine-1").group, "mine");
  EXPECT_EQ(conf_value("mine-1", "stop-timeout"), "30s\n");
  EXPECT_EQ(conf_value("mine-1", "alert"), "true\n");
  EXPECT_FALSE(status("mine-1").tty);
  EXPECT_TRUE(contains(conf_value("mine-1", "umask"), "027")) << "in place of the caller's";
}

TEST_F(SettingsTest, WhatIsGivenGoesBeforeThem) {
  settings("[start]\n\tstop-timeout = 30s\n\tgroup = mine\n\talert = true\n\tumask = 027\n");
  start({"-g", "web", "--stop-timeout", "2s", "-a", "false", "--umask", "077", "--", probe(), "serve"});
  EXPECT_EQ(conf_value("web-1", "stop-timeout"), "2s\n");
  EXPECT_EQ(conf_value("web-1", "alert"), "false\n") << "not both";
  EXPECT_TRUE(contains(conf_value("web-1", "umask"), "077"));
}

TEST_F(SettingsTest, EveryDefaultCanBeOverruled) {
  settings("[start]\n\ttty = false\n\tsplit = true\n\trunaway-protect = false\n");
  start({"--name", "web", "--tty", "--no-split", "--runaway-protect", "--", probe(), "serve"});
  EXPECT_EQ(conf_value("web", "tty"), "true\n");
  EXPECT_EQ(conf_value("web", "split"), "false\n");
  EXPECT_EQ(conf_value("web", "runaway-protect"), "true\n");
  EXPECT_TRUE(status("web").tty);
}

// Two keys say after which ends a job is run again.
TEST_F(SettingsTest, WhatIsGivenGoesBeforeAnotherKeyThatSaysTheSame) {
  settings("[start]\n\tkeepalive = false\n");
  start({"--name", "kept", "--restart", "always", "--", probe(), "serve"});
  EXPECT_EQ(conf_value("kept", "keepalive"), "true\n");
  const pid_t before = pid_of("kept");
  kill_hard(before);
  EXPECT_GT(wait_new_pid("kept", before, 20s), 0) << status("kept");
  start({"--name", "plain", "--", probe(), "serve"});
  EXPECT_EQ(conf_value("plain", "keepalive"), "false\n");
  settings("[start]\n\trestart = always\n");
  start({"--name", "single", "--once", "--", probe(), "exit", "0"});
  EXPECT_TRUE(wait_state("single", "stopped", 20s));
  EXPECT_EQ(status("single").runs, 1);
}

TEST_F(SettingsTest, AWrongKeyIsNamedAndNothingIsStarted) {
  start({"--name", "before", "--", probe(), "serve"});
  settings("[start]\n\tstop-timout = 30s\n");
  const Output output = fails(1, {"start", "--name", "web", "--", probe(), "serve"});
  EXPECT_TRUE(contains(output.err, "usvc.conf:2: start.stop-timout: there is no such setting")) << output;
  EXPECT_TRUE(contains(output.err, "did you mean start.stop-timeout?")) << output;
  EXPECT_EQ(status("web").name, "");
  EXPECT_EQ(status("before").state, "running");
  EXPECT_TRUE(contains(run({"status"}).all(), "stop-timout")) << "status tells of it too";
}

TEST_F(SettingsTest, AFileThatIsNoneIsNamed) {
  settings("[start\n");
  const Output output = fails(1, {"start", "--name", "web", "--", probe(), "serve"});
  EXPECT_TRUE(contains(output.err, "usvc.conf")) << output;
}

TEST_F(SettingsTest, BackoffCanBeBounded) {
  settings("[backoff]\n\tfirst-wait = 50ms\n\tlongest-wait = 100ms\n");
  (void)run({"start", "--name", "bad", "--settle", "0", "--", probe(), "exit", "1"});
  // By the default ladder the tenth run would come after two minutes.
  EXPECT_TRUE(wait_until(20s, [&] { return status("bad").runs >= 10; })) << status("bad");
}

}  // namespace

}  // namespace usvc::test
