// tree = subreaper: the job is made the parent of its own strays, so that its tree is exact while it lives.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class TreeSubreaperTest : public CliTest {
 protected:
  Args with_tree(const Args& before, const Args& after) {
    Args args = before;
    args.insert(args.end(), {"--tree", "subreaper"});
    args.insert(args.end(), after.begin(), after.end());
    return args;
  }
};

TEST_F(TreeSubreaperTest, DaemonThatClearedItsEnvironmentIsFound) {
  start(with_tree({"--name", "tree", "--stop-timeout", "0.5"},
                  {"--", probe(), "fork-daemon", "--clear-env", "--", "serve"}));
  const pid_t daemon = logged_pid("tree", "daemon");
  EXPECT_TRUE(wait_until(5s, [&] {
    for (const auto& process : job_processes()) {
      if (process.pid == daemon) return process.parent == pid_of("tree");
    }
    return false;
  })) << list(job_processes());
  stop({"tree"});
  expect_gone(daemon, "the daemon");
}

TEST_F(TreeSubreaperTest, StoppedTogetherWithADeafMainProcess) {
  start(with_tree({"--name", "tree", "--stop-timeout", "0.3"},
                  {"--", probe(), "fork-daemon", "--clear-env", "--", "ignore", "TERM", "--", "serve"}));
  const pid_t daemon = logged_pid("tree", "daemon");
  stop({"tree"});
  expect_gone(daemon, "the daemon");
}

TEST_F(TreeSubreaperTest, IsInTheConf) {
  start(with_tree({"--name", "tree"}, {"--", probe(), "serve"}));
  EXPECT_EQ(ok({"conf", "tree", "tree"}).out, "subreaper\n");
}

}  // namespace

}  // namespace usvc::test
