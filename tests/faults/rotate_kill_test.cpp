// Logs are rotated all the time while usvc's processes are killed: every line is there once, over all files.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "faults/fixture.h"

namespace usvc::test {

namespace {

class RotateKillTest : public FaultTest {
 protected:
  void flood(const std::string& name, const Args& options) {
    Args args = {"--settle", "0", "--name", name, "--log-max-size", "30K", "--log-keep", "10000"};
    args.insert(args.end(), options.begin(), options.end());
    args.emplace_back("--");
    for (auto& word : numbering(name, 1)) args.push_back(std::move(word));
    start(args);
  }
  void check(const std::string& name, const std::string& log = "") {
    for (const auto& complaint : ledger().check_log(name, whole_log(name, log), false)) ADD_FAILURE() << complaint;
  }
};

TEST_F(RotateKillTest, ManagerKilledEvery50Milliseconds) {
  flood("terminal", {});
  flood("pipe", {"--no-tty"});
  int kills = 0;
  const auto began = std::chrono::steady_clock::now();
  auto next = began;
  while (kills < 40 && std::chrono::steady_clock::now() - began < 12s) {
    next += 50ms;
    const pid_t manager = manager_process();
    if (manager > 0) {
      kill_hard(manager);
      ++kills;
    }
    if (kills % 10 == 0) (void)run({"rotate", "all"});
    std::this_thread::sleep_until(next);  // the pace of the kills
  }
  EXPECT_GE(kills, 5) << "the keeper waits longer and longer before it starts another";
  // One that is left in peace goes on with it.
  const auto parts = log_parts("terminal.log").size();
  EXPECT_TRUE(wait_until(20s, [&] {
    const auto now = log_parts("terminal.log").size();
    return now > parts && now >= 3 && log_parts("pipe.log").size() >= 3;
  }));
  stop({"all"});
  for (const auto* name : {"terminal", "pipe"}) {
    check(name);
    EXPECT_EQ(ledger().begins(name).size(), 1U);
  }
  // What was rotated is compressed in the end, and nothing half done lies about.
  EXPECT_TRUE(wait_until(20s, [&] {
    const auto all = log_parts("terminal.log");
    return std::ranges::count_if(all, [](const auto& part) { return !part.ends_with(".zst"); }) <= 1;
  }));
}

TEST_F(RotateKillTest, KeeperKilledWhileLogsAreRotated) {
  flood("terminal", {});
  flood("pipe", {"--no-tty"});
  for (int kills = 0; kills < 8; ++kills) {
    const auto keepers = journaled("keeper-started");
    const auto parts = log_parts("pipe.log").size();
    kill_hard(keeper_process());
    ASSERT_TRUE(wait_until(15s, [&] { return journaled("keeper-started") > keepers; }));
    (void)run({"rotate", "all"});
    ASSERT_TRUE(wait_until(15s, [&] { return log_parts("pipe.log").size() > parts; }));
  }
  stop({"all"});
  check("terminal");
  check("pipe");
}

}  // namespace

}  // namespace usvc::test
