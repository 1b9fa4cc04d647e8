// The exact tier of knowing a job's tree: a cgroup v2 of the job's own, where one is delegated.
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

std::string cgroup2_mount() {
  std::ifstream mounts("/proc/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device;
    std::string where;
    std::string kind;
    words >> device >> where >> kind;
    if (kind == "cgroup2") return where;
  }
  return {};
}

// Directories of a cgroup are removed one by one, the deepest first; their files cannot be.
void remove_cgroup(const fs::path& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.is_directory(error)) remove_cgroup(entry.path());
  }
  rmdir(directory.c_str());
}

class CgroupTest : public CliTest {
 protected:
  void SetUp() override {
    const std::string mount = cgroup2_mount();
    if (mount.empty()) GTEST_SKIP() << "no cgroup2 hierarchy is mounted";
    CliTest::SetUp();
    const std::string wanted = mount + "/" + fs::path(directory()).filename().string();
    if (mkdir(wanted.c_str(), 0755) < 0) GTEST_SKIP() << "cannot make " << wanted << ": " << strerror(errno);
    cgroup_ = wanted;
    environment()["USVC_CGROUP"] = cgroup_;
  }
  void TearDown() override {
    CliTest::TearDown();
    if (cgroup_.empty()) return;
    EXPECT_TRUE(wait_until(5s,
                           [&] {
                             remove_cgroup(cgroup_);
                             return !exists(cgroup_);
                           }))
        << cgroup_ << " is still in use";
  }
  std::string cgroup_of(pid_t pid) { return read("/proc/" + std::to_string(pid) + "/cgroup"); }

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
