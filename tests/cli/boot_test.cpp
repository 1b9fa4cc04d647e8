// usvc init --boot and --no-boot, with stand-ins for systemd and cron.
#include <unistd.h>

#include <filesystem>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

class BootTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    fs::create_directory(path("fake"));
    environment()["PATH"] = path("fake") + ":" + environment()["PATH"];
    environment()["FAKE"] = path("fake");
    stand_in("crontab", R"(
case $1 in
  -l) [ -e "$FAKE/crontab.txt" ] || { echo "no crontab for tester" >&2; exit 1; }; cat "$FAKE/crontab.txt" ;;
  -r) rm "$FAKE/crontab.txt" ;;
  -) cat >"$FAKE/crontab.txt" ;;
esac
)");
  }
  void TearDown() override {
    cron_.reset();
    CliTest::TearDown();
  }
  // A process of a cron daemon's name.
  void with_cron() {
    fs::copy_file("/bin/sleep", path("fake/cron"));
    cron_ = launch_program({path("fake/cron"), "1000"});
    ASSERT_TRUE(wait_until(10s, [&] { return name_of(cron_->pid()) == "cron\n"; }));
  }
  static std::string name_of(pid_t pid) { return read("/proc/" + std::to_string(pid) + "/comm"); }
  // On this machine, before with_cron().
  static bool cron_runs() {
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string comm = read(entry.path() / "comm");
      if (comm == "cron\n" || comm == "crond\n" || comm == "fcron\n") return true;
    }
    return false;
  }
  void stand_in(const std::string& program, const std::string& text) {
    write("fake/" + program, "#!/bin/sh\necho \"" + program + " $*\" >>\"$FAKE/calls\"\n" + text, 0755);
  }
  // A systemd user manager that answers, and starts nothing.
  void with_systemd(const std::string& lingering = "exit 0") {
    fs::create_directories(path("run/systemd"));
    write("run/systemd/private", "");
    environment()["XDG_RUNTIME_DIR"] = path("run");
    stand_in("systemd-run", "exit 1\n");
    stand_in("systemctl", R"(
wants=$HOME/.config/systemd/user/default.target.wants
case $2 in
  enable) mkdir -p "$wants"; ln -s "../$3" "$wants/$3" ;;
  disable) rm "$wants/$3" ;;
esac
)");
    stand_in("loginctl", "case $* in *enable-linger*) " + lingering + " ;; *) echo no ;; esac\n");
  }
  std::string crontab() { return read(path("fake/crontab.txt")); }
  std::string calls() { return read(path("fake/calls")); }
  std::string boot() { return text_of(vars(), "boot"); }
  // The one unit, or "".
  std::string unit() {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(path(".config/systemd/user"), none)) {
      if (entry.path().extension() == ".service") return entry.path();
    }
    return {};
  }

 private:
  std::unique_ptr<Child> cron_;
};

TEST_F(BootTest, OneThatFailsIsOneDocument) {
  stand_in("crontab", "echo broken >&2; exit 1\n");
  for (const Args& args : {Args{"--json", "init", "--boot"}, Args{"--json", "init", "--foreground", "--boot"}}) {
    const Output output = run(args);
    EXPECT_NE(output.status, 0);
    boost::system::error_code error;
    const auto document = json::parse(output.out, error);
    ASSERT_FALSE(error) << output;
    EXPECT_TRUE(document.as_object().contains("error")) << output;
  }
}

TEST_F(BootTest, WithoutAnythingVarsSaysSo) {
  ASSERT_TRUE(vars().contains("boot"));
  EXPECT_TRUE(vars().at("boot").is_null());
}

TEST_F(BootTest, WithoutSystemdItIsALineOfTheCrontab) {
  with_cron();
  write("fake/crontab.txt", "# keep me\n1 2 * * * true\n");
  const Output output = ok({"init", "--boot"});
  EXPECT_TRUE(contains(output.out, "starts with the machine: crontab line")) << output;
  EXPECT_GT(manager_pid(), 0) << "it is started now, too";
  EXPECT_EQ(boot(), "cron");
  ok({"init", "--boot"});
  EXPECT_EQ(count_of(crontab(), "@reboot"), 1U) << crontab();
  EXPECT_TRUE(crontab().starts_with("# keep me\n1 2 * * * true\n")) << crontab();
  ok({"init", "--no-boot"});
  EXPECT_EQ(crontab(), "# keep me\n1 2 * * * true\n");
  EXPECT_EQ(boot(), "");
  EXPECT_TRUE(contains(ok({"init", "--no-boot"}).out, "nothing starts it")) << "asked again";
}

TEST_F(BootTest, ACrontabThatNobodyReadsStartsNothing) {
  if (cron_runs()) GTEST_SKIP() << "a cron daemon runs here";
  // Other tests have one now and then.
  EXPECT_TRUE(wait_until(20s, [&] {
    const Output output = run({"init", "--boot"});
    return output.status == 0 && contains(output.err, "no cron daemon runs");
  }));
  EXPECT_EQ(boot(), "cron") << "it is there all the same";
  EXPECT_TRUE(wait_until(20s, [&] { return contains(run({"doctor"}).out, "trouble  boot       a crontab line"); }))
      << run({"doctor"}).out;
  with_cron();
  ok({"init", "--boot"});
  EXPECT_TRUE(contains(run({"doctor"}).out, "well     boot")) << run({"doctor"}).out;
}

TEST_F(BootTest, InstancesWithStateElsewhereHaveLinesOfTheirOwn) {
  with_cron();
  environment().erase("USVC_HOME");
  ok({"init", "--boot"});
  const std::string first = crontab();
  environment()["XDG_STATE_HOME"] = path("xs");
  ok({"init", "--boot"});
  EXPECT_EQ(count_of(crontab(), "@reboot"), 2U) << crontab();
  ok({"init", "--no-boot"});
  EXPECT_EQ(crontab(), first);
  ok({"shutdown"});
  environment()["XDG_STATE_HOME"] = path(".local/state");
  EXPECT_EQ(boot(), "cron");
  ok({"init", "--no-boot"});
  EXPECT_FALSE(exists(path("fake/crontab.txt")));
  ok({"shutdown"});
}

TEST_F(BootTest, TheCrontabsLineBringsBackWhatWasWanted) {
  with_cron();
  ok({"init", "--boot"});
  start({"--name", "wanted", "--", probe(), "serve"});
  start({"--name", "stopped", "--", probe(), "serve"});
  stop({"stopped"});
  ok({"shutdown"});
  std::string line = crontab();
  ASSERT_TRUE(line.starts_with("@reboot ") && line.ends_with("\n")) << line;
  line = line.substr(8, line.size() - 9);
  // As cron does: little environment, another directory.
  const Output output =
      run_program({"/usr/bin/env", "-i", "HOME=" + directory(), "PATH=/usr/bin:/bin", "sh", "-c", line}, {.cwd = "/"});
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(output.all(), "") << "cron would send it by mail";
  EXPECT_TRUE(wait_state("wanted", "running"));
  EXPECT_EQ(status("stopped").state, "stopped");
}

TEST_F(BootTest, AnInstanceBegunByCronIsFoundFromASession) {
  environment().erase("USVC_HOME");
  ok({"init"});
  fs::create_directory(path("run"));
  fs::permissions(path("run"), fs::perms::owner_all);
  environment()["XDG_RUNTIME_DIR"] = path("run");
  EXPECT_TRUE(contains(ok({"init"}).out, "already running"));
  ok({"shutdown"});
  EXPECT_EQ(text_of(vars(), "socket"), path("run/usvc/usvc.sock"));
}

TEST_F(BootTest, ACrontabThatCanNotBeReadIsLeftAlone) {
  stand_in("crontab", "echo 'you are not allowed' >&2; exit 1\n");
  const Output output = run({"init", "--boot"});
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "you are not allowed")) << output;
  EXPECT_FALSE(contains(calls(), "crontab -\n")) << calls();
}

TEST_F(BootTest, WithNeitherItSaysWhatToInstall) {
  fs::remove(path("fake/crontab"));
  environment()["PATH"] = path("fake");
  const Output output = run({"init", "--boot"});
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "install cron")) << output;
}

TEST_F(BootTest, UnderSystemdItIsAUnitThatLingers) {
  with_systemd();
  const Output output = ok({"init", "--boot"});
  EXPECT_TRUE(contains(output.out, "systemd unit " + unit())) << output;
  const std::string name = fs::path(unit()).filename();
  for (const std::string& call : {std::string("daemon-reload"), "enable " + name, "start " + name}) {
    EXPECT_TRUE(contains(calls(), "systemctl --user " + call + "\n")) << call << calls();
  }
  EXPECT_TRUE(contains(calls(), "enable-linger")) << calls();
  EXPECT_TRUE(contains(read(unit()), "--home \"" + home() + "\"")) << read(unit());
  EXPECT_EQ(boot(), "systemd");
  EXPECT_FALSE(exists(path("fake/crontab.txt")));
  ok({"init", "--no-boot"});
  EXPECT_EQ(unit(), "");
  EXPECT_TRUE(contains(calls(), "systemctl --user disable " + name + "\n")) << calls();
  EXPECT_EQ(boot(), "");
  EXPECT_GT(manager_pid(), 0) << "the instance goes on";
}

TEST_F(BootTest, WithoutTheRightToLingerItSaysWhatToType) {
  with_systemd("echo 'Access denied' >&2; exit 1");
  const Output output = run({"init", "--boot"});
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "Access denied")) << output;
  EXPECT_TRUE(contains(output.err, "loginctl enable-linger")) << output;
  EXPECT_EQ(boot(), "systemd") << "it is there all the same";
}

TEST_F(BootTest, AUnitTakesThePlaceOfALine) {
  with_cron();
  ok({"init", "--boot"});
  with_systemd();
  ok({"init", "--boot"});
  EXPECT_FALSE(exists(path("fake/crontab.txt")));
  EXPECT_EQ(boot(), "systemd");
}

TEST_F(BootTest, SystemdFindsNothingWrongWithTheUnit) {
  if (access("/usr/bin/systemd-analyze", X_OK) != 0) GTEST_SKIP() << "there is no systemd-analyze";
  with_systemd();
  ok({"init", "--boot"});
  const Output output = run_program({"/usr/bin/systemd-analyze", "verify", "--user", "--man=no", unit()});
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_FALSE(contains(output.err, unit())) << output;
}

TEST_F(BootTest, TheThreeOptionsExcludeEachOther) {
  fails(2, {"init", "--boot", "--no-boot"});
  fails(2, {"init", "--boot", "--foreground"});
}

}  // namespace

}  // namespace usvc::test
