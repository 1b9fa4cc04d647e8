// The exact tier of knowing a job's tree: a cgroup v2 of the job's own, where one is delegated.
#include "cli/cgroup.h"

#include <unistd.h>

#include <filesystem>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

class CgroupTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    own_ = std::make_unique<OwnCgroup>(fs::path(directory()).filename());
    if (!own_->why_not().empty()) GTEST_SKIP() << own_->why_not();
    cgroup_ = own_->path();
    environment()["USVC_CGROUP"] = cgroup_;
  }
  void TearDown() override {
    CliTest::TearDown();
    EXPECT_TRUE(wait_until(5s, [&] { return own_->remove(); })) << cgroup_ << " is still in use";
  }
  std::string cgroup_of(pid_t pid) { return read("/proc/" + std::to_string(pid) + "/cgroup"); }

  std::unique_ptr<OwnCgroup> own_;
  std::string cgroup_;
};

TEST_F(CgroupTest, JobsLiveInCgroupsOfTheirOwn) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  const std::string name = fs::path(cgroup_).filename();
  const std::string first = cgroup_of(pid_of("web-1"));
  const std::string second = cgroup_of(pid_of("web-2"));
  EXPECT_TRUE(contains(first, "/" + name + "/")) << first;
  EXPECT_TRUE(contains(second, "/" + name + "/")) << second;
  EXPECT_NE(first, second);
}

TEST_F(CgroupTest, DaemonThatClearedItsEnvironmentIsFoundByStop) {
  start({"--name", "tree", "--stop-timeout", "0.5", "--", probe(), "fork-daemon", "--clear-env", "--", "serve"});
  const pid_t daemon = logged_pid("tree", "daemon");
  ASSERT_TRUE(alive(daemon));
  stop({"tree"});
  expect_gone(daemon, "the daemon");
}

TEST_F(CgroupTest, DaemonThatClearedItsEnvironmentIsFoundAfterItsParentDied) {
  start({"--name", "tree", "--", probe(), "fork-daemon", "--clear-env", "--", "serve"});
  const pid_t daemon = logged_pid("tree", "daemon");
  const pid_t before = pid_of("tree");
  kill_hard(before);
  ASSERT_GT(wait_new_pid("tree", before), 0);
  expect_gone(daemon, "the first run's daemon");
}

TEST_F(CgroupTest, SurvivesAManagerKill) {
  start({"--name", "tree", "--stop-timeout", "0.5", "--", probe(), "fork-daemon", "--clear-env", "--", "serve"});
  const pid_t daemon = logged_pid("tree", "daemon");
  const pid_t manager = manager_pid();
  kill_hard(manager);
  ASSERT_TRUE(wait_until(10s, [&] { return manager_pid() > 0 && manager_pid() != manager; }));
  stop({"tree"});
  expect_gone(daemon, "the daemon");
}

TEST_F(CgroupTest, NothingIsLeftOfItAfterShutdown) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  EXPECT_TRUE(wait_until(5s, [&] { return rmdir(cgroup_.c_str()) == 0; })) << cgroup_ << " holds something";
}

TEST_F(CgroupTest, TreeKeyTurnsItOff) {
  start({"--name", "tree", "--tree", "proc", "--", probe(), "serve"});
  EXPECT_EQ(status("tree").state, "running");
  EXPECT_FALSE(contains(cgroup_of(pid_of("tree")), "tree")) << cgroup_of(pid_of("tree"));
}

}  // namespace

}  // namespace usvc::test
