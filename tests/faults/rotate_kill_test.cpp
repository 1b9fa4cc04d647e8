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
    if (std::ranges::count(options, "--split") > 0) args.insert(args.end(), {"sh", "-c", "exec \"$@\" >&2", "sh"});
    for (auto& word : numbering(name, 1)) args.push_back(std::move(word));
    start(args);
  }
  void check(const std::string& name) { check(name, name); }
  // `log`: that of its stderr, perhaps.
  void check(const std::string& name, const std::string& log) {
    for (const auto& complaint : ledger().check_log(name, whole_log(log), false)) ADD_FAILURE() << complaint;
  }

  void flood_all() {
    flood("terminal", {});
    flood("pipe", {"--no-tty"});
    flood("apart", {"--no-tty", "--split"});
  }
  // After the kills: one that is left in peace goes on with it, and nothing is lost, doubled or left half done.
  void look() {
    const auto parts = log_parts("terminal.log").size();
    EXPECT_TRUE(wait_until(20s, [&] {
      const auto now = log_parts("terminal.log").size();
      return now > parts && now >= 3 && log_parts("pipe.log").size() >= 3 && log_parts("apart.err.log").size() >= 3;
    }));
    stop({"all"});
    check("terminal");
    check("pipe");
    check("apart", "apart.err");
    for (const auto* name : {"terminal", "pipe", "apart"}) EXPECT_EQ(ledger().begins(name).size(), 1U);
    EXPECT_TRUE(wait_until(20s, [&] {
      const auto all = log_parts("terminal.log");
      return std::ranges::count_if(all, [](const auto& part) { return !part.ends_with(".zst"); }) <= 1;
    }));
  }
};

constexpr auto pace = 50ms;

// Most of these are killed before they are up, and then the keeper waits before the next one: 50 ms, 100 ms and so on
// up to 10 s. So n kills take 50 ms * 2^n, and 12 s are enough for no more than eight.
TEST_F(RotateKillTest, ManagerKilledEvery50Milliseconds) {
  flood_all();
  int kills = 0;
  const auto began = std::chrono::steady_clock::now();
  auto next = began;
  while (kills < 40 && std::chrono::steady_clock::now() - began < 12s) {
    next += pace;
    const pid_t manager = manager_process();
    if (manager > 0) {
      kill_hard(manager);
      ++kills;
    }
    if (kills % 10 == 0) (void)run({"rotate", "all"});
    std::this_thread::sleep_until(next);
  }
  EXPECT_GE(kills, 5);
  look();
}

// After one that was up the next is started at once, so each of these lives for 50 ms and there may be any number.
TEST_F(RotateKillTest, EachManagerKilled50MillisecondsAfterItIsUp) {
  flood_all();
  for (int kills = 0; kills < 10; ++kills) {
    const auto managers = journaled("manager-started");
    const pid_t manager = manager_process();
    ASSERT_GT(manager, 0);
    kill_hard(manager);
    ASSERT_TRUE(wait_until(30s, [&] { return journaled("manager-started") > managers; })) << kills << " kills";
    std::this_thread::sleep_for(pace);
  }
  look();
}

TEST_F(RotateKillTest, KeeperKilledWhileLogsAreRotated) {
  flood_all();
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
  check("apart", "apart.err");
}

}  // namespace

}  // namespace usvc::test
