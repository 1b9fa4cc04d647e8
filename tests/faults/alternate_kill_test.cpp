// Manager and keeper killed in turn, the second while the other is still recovering, and either of them at random under
// load. As long as one of them has everything, nothing may be lost.
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <random>

#include "faults/fixture.h"

namespace usvc::test {

namespace {

class AlternateKillTest : public FaultTest {
 protected:
  void SetUp() override {
    FaultTest::SetUp();
    const auto seed = std::random_device{}();
    random_.seed(seed);
    RecordProperty("seed", std::to_string(seed));
  }

  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

  // Kills the process and waits until its successor has told that it holds everything.
  void kill_and_wait(bool keeper) {
    const std::string told = keeper ? "keeper-started" : "manager-started";
    const auto before = journaled(told);
    pid_t pid = 0;
    ASSERT_TRUE(wait_until(15s, [&] { return (pid = keeper ? keeper_process() : manager_process()) > 0; }));
    kill_hard(pid);
    ASSERT_TRUE(wait_until(20s, [&] { return journaled(told) > before; })) << told;
  }

  void wait_successor(const std::string& told, std::size_t before) {
    ASSERT_TRUE(wait_until(20s, [&] { return journaled(told) > before; })) << told;
  }

  // A manager that has only begun is met at the point, and its keeper killed there; and the other way round.
  void second_manager_loses_keeper(std::string_view point) {
    const auto keepers = journaled("keeper-started");
    const pid_t keeper = keeper_process();
    freeze(keeper);  // until the point is armed, which the manager that goes must not meet
    kill_hard(manager_process());
    arm(point);
    thaw(keeper);
    const pid_t stopped = stopped_at(point);
    if (stopped == 0) return disarm(point);
    kill_hard(keeper);
    thaw(stopped);
    wait_successor("keeper-started", keepers);
  }
  void second_keeper_loses_manager(std::string_view point, std::size_t passes) {
    const auto keepers = journaled("keeper-started");
    const auto managers = journaled("manager-started");
    const pid_t manager = manager_process();
    freeze(manager);
    kill_hard(keeper_process());
    arm(point, passes);
    thaw(manager);
    const pid_t stopped = stopped_at(point);
    if (stopped == 0) return disarm(point);
    wait_successor("keeper-started", keepers);  // by then all is said, and waits in the new keeper's socket
    kill_hard(manager);
    thaw(stopped);
    wait_successor("manager-started", managers);
  }

  // Commands for one job, one after the other; each must do what it says.
  class Operator {
   public:
    Operator(AlternateKillTest* test, std::string job) : test_(*test), job_(std::move(job)) {}
    void step() {
      if (client_ && client_->pump(milliseconds(0))) return;
      finish();
      static const std::array<Args, 3> commands = {Args{"restart"}, Args{"stop"}, Args{"start"}};
      command_ = (command_ + 1) % commands.size();
      Args args = commands.at(command_);
      args.push_back(job_);
      client_ = test_.launch(args);
    }
    void finish() {
      if (!client_) return;
      const Output output = client_->finish(30s);
      EXPECT_EQ(output.status, 0) << job_ << ", command " << command_ << ": " << output;
      client_.reset();
      ++done_;
    }
    [[nodiscard]] const std::string& job() const { return job_; }
    [[nodiscard]] bool left_stopped() const { return command_ == 1; }
    [[nodiscard]] int done() const { return done_; }

   private:
    AlternateKillTest& test_;
    std::string job_;
    std::unique_ptr<Child> client_;
    std::size_t command_ = 2;
    int done_ = 0;
  };

  std::vector<Operator> operators(std::size_t count) {
    std::vector<Operator> all;
    for (std::size_t i = 1; i <= count; ++i) {
      const std::string name = "load-" + std::to_string(i);
      Args args = {"--settle", "0", "--name", name};
      if (i % 2 == 0) args.emplace_back("--no-tty");
      args.emplace_back("--");
      for (auto& word : numbering(name)) args.push_back(std::move(word));
      start(args);
      all.emplace_back(this, name);
    }
    return all;
  }

  void work(std::vector<Operator>& all, milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    wait_until(time + 1s, [&] {
      for (auto& one : all) one.step();
      return std::chrono::steady_clock::now() >= end;
    });
  }

  void expect_what_was_acknowledged(const std::vector<Operator>& all) {
    for (const auto& one : all) {
      const Job job = status(one.job());
      EXPECT_GT(one.done(), 0) << one.job();
      if (one.left_stopped()) {
        EXPECT_EQ(job.state, "stopped") << job;
        EXPECT_FALSE(job.wanted) << job;
      } else {
        EXPECT_EQ(job.state, "running") << job;
        EXPECT_TRUE(alive(job.pid)) << job;
      }
    }
  }

  std::mt19937 random_;
};

TEST_F(AlternateKillTest, TheSecondAtAPointWhileTheFirstRecovers) {
  stand_by();
  constexpr auto managers = std::to_array<std::string_view>(
      {"manager.locked", "manager.journal-open", "manager.item-adopted", "manager.begin-lives"});
  for (std::size_t round = 0; round < 13 && !HasFailure(); ++round) {
    second_manager_loses_keeper(managers.at(round % managers.size()));
    if (round % 2 == 0)
      second_keeper_loses_manager("keeper.adopted", 0);
    else
      second_keeper_loses_manager("keeper.hold", round / 2);
  }
  const Expected expected{.keeper_died = true, .ends = {"TERM"}};
  check_bystanders(expected);
  check_in_the_end({}, expected);
}

TEST_F(AlternateKillTest, InTurnAsSoonAsTheOtherHasEverything) {
  stand_by();
  for (std::size_t round = 0; round < 50 && !HasFatalFailure(); ++round) kill_and_wait(round % 2 == 0);
  const Expected expected{.keeper_died = true, .ends = {"TERM"}};
  check_bystanders(expected);
  check_in_the_end({}, expected);
}

TEST_F(AlternateKillTest, AnyOfThemUnderLoad) {
  stand_by();
  auto load = operators(3);
  for (int round = 0; round < 30 && !HasFailure(); ++round) {
    work(load, milliseconds(below(120)));
    kill_and_wait(below(2) == 0);
  }
  std::vector<std::string> names;
  for (auto& one : load) {
    one.finish();
    names.push_back(one.job());
  }
  expect_what_was_acknowledged(load);
  const Expected expected{.keeper_died = true, .ends = {"TERM"}};
  check_bystanders(expected);
  check_in_the_end(names, expected);
}

// Without a manager the keeper moves what they write, and marks nothing.
TEST_F(AlternateKillTest, WhatARunWritesWithoutAManagerIsItsOwn) {
  write(path("go"), "", 0600);
  const std::string wait = "while ! [ -e " + path("go") + " ]; do sleep 0.02; done; ";
  start({"--name", "web", "--settle", "0", "--", "/bin/sh", "-c", wait + "echo here; exec sleep 1000"});
  ASSERT_TRUE(wait_until(20s, [&] { return whole_log("web") == "here\n"; }));
  std::filesystem::remove(path("go"));
  ok({"restart", "web"});
  // Each that comes to nothing is followed by a longer pause.
  for (int i = 0; i < 5; ++i) {
    arm("manager.locked");
    if (i == 0) kill_hard(manager_process());
    const pid_t manager = stopped_at("manager.locked");
    ASSERT_GT(manager, 0);
    kill_hard(manager);
  }
  write(path("go"), "", 0600);
  ASSERT_TRUE(wait_until(20s, [&] { return whole_log("web") == "here\nhere\n"; }));
  const pid_t pid = pid_of("web");
  ok({"stop", "web"});
  ok({"start", "web"});
  ASSERT_TRUE(wait_until(20s, [&] { return whole_log("web") == "here\nhere\nhere\n"; }));
  EXPECT_NE(pid_of("web"), pid);
  const auto runs = events_of("web", "running");
  ASSERT_EQ(runs.size(), 3U);
  for (const auto& event : runs) {  // a mark comes after its bytes
    const std::string id = text_of(event, "run_id");
    EXPECT_TRUE(wait_until(20s, [&] { return run({"logchunk", id}).out == "here\n"; })) << run({"logchunk", id});
  }
}

// The time that a stop takes goes on through each change of managers, and is not cut short by one.
TEST_F(AlternateKillTest, AStopComesToItsEndAlthoughManagersAreKilledInTurn) {
  constexpr double timeout = 5;
  start({"--name", "deaf", "--stop-timeout", "5", "--", probe(), "ignore", "TERM", "--", "serve"});
  const pid_t pid = pid_of("deaf");
  const auto stopping = launch({"stop", "deaf"});
  ASSERT_TRUE(wait_until(20s, [&] { return journaled("stopping") == 1; }));
  const auto end = std::chrono::steady_clock::now() + 30s;
  const auto gone = [&] { return !alive(pid); };
  while (!wait_until(1s, gone) && std::chrono::steady_clock::now() < end && !HasFatalFailure()) kill_and_wait(false);
  EXPECT_TRUE(gone()) << "its time is up";
  EXPECT_EQ(stopping->finish(30s).status, 0);
  const auto exits = events_of("deaf", "exited");
  const auto stops = events_of("deaf", "stopping");
  ASSERT_EQ(exits.size(), 1U);
  ASSERT_EQ(stops.size(), 1U);
  EXPECT_EQ(text_of(exits.front(), "signal"), "KILL");
  EXPECT_TRUE(exits.front().contains("forced"));
  EXPECT_GT(number_of(exits.front(), "t").value_or(0), number_of(stops.front(), "t").value_or(0) + timeout - 0.1);
}

// Both are gone sooner or later; what is wanted comes back, and never twice.
TEST_F(AlternateKillTest, AnyOfThemAtAnyTime) {
  stand_by();
  for (int round = 0; round < 20 && !HasFailure(); ++round) {
    std::array pids = {keeper_process(), manager_process()};
    if (below(2) == 0) std::swap(pids[0], pids[1]);
    if (pids[0] > 0) ::kill(pids[0], SIGKILL);
    wait_until(milliseconds(below(30)), [] { return false; });
    if (pids[1] > 0) ::kill(pids[1], SIGKILL);
    ok({"init"});
  }
  const Expected expected{.both = true, .partly = true, .keeper_died = true, .ends = {"TERM"}};
  check_bystanders(expected);
  check_in_the_end({}, expected);
}

}  // namespace

}  // namespace usvc::test
