// No single kill loses a job: the manager or the keeper is killed, and nobody notices.
#include <chrono>
#include <csignal>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class ManagerKillTest : public CliTest {
 protected:
  pid_t wait_new_manager(pid_t before) {
    pid_t now = 0;
    EXPECT_TRUE(wait_until(15s, [&] {
      now = manager_pid();
      return now > 0 && now != before;
    })) << "no new manager";
    return now;
  }
  pid_t wait_new_keeper(pid_t before) {
    pid_t now = 0;
    EXPECT_TRUE(wait_until(15s, [&] {
      now = keeper_pid();
      return now > 0 && now != before;
    })) << "no new keeper";
    return now;
  }
  std::map<std::string, pid_t> pids() {
    std::map<std::string, pid_t> result;
    for (const auto& job : jobs()) result[job.name] = job.pid;
    return result;
  }
  // Every number from 1 on, once and in order.
  void expect_every_tick(const std::string& job) {
    const auto lines = lines_of(log_text(job));
    for (std::size_t i = 0; i < lines.size(); ++i) ASSERT_EQ(lines[i], "tick " + std::to_string(i + 1)) << job;
    EXPECT_GT(lines.size(), 0U);
  }
};

TEST_F(ManagerKillTest, JobsStayAndTheNextCommandWorks) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  const auto before = pids();
  const pid_t manager = manager_pid();
  kill_hard(manager);
  EXPECT_EQ(ok({"status"}).status, 0);
  stop({"web-3"});
  start({"web-3"});
  wait_new_manager(manager);
  const auto after = pids();
  EXPECT_EQ(after.at("web-1"), before.at("web-1"));
  EXPECT_EQ(after.at("web-2"), before.at("web-2"));
  EXPECT_NE(after.at("web-3"), before.at("web-3"));
  EXPECT_GE(events_of("", "manager-started").size(), 2U);
}

TEST_F(ManagerKillTest, NoOutputIsLostOrDoubled) {
  start({"--name", "terminal", "--", probe(), "tick", "1"});
  start({"--name", "pipes", "--no-tty", "--", probe(), "tick", "1"});
  pid_t manager = manager_pid();
  for (int round = 0; round < 10; ++round) {
    const auto size = log_text("pipes").size();
    ASSERT_TRUE(wait_until(10s, [&] { return log_text("pipes").size() > size + 200; }));
    kill_hard(manager);
    manager = wait_new_manager(manager);
  }
  stop({"all"});
  expect_every_tick("terminal");
  expect_every_tick("pipes");
  EXPECT_EQ(status("pipes").runs, 1);
}

TEST_F(ManagerKillTest, CommandIsAnsweredByTheNextManager) {
  start({"--name", "deaf", "--stop-timeout", "1", "--", probe(), "ignore", "TERM", "--", "serve"});
  const pid_t pid = pid_of("deaf");
  const pid_t manager = manager_pid();
  const auto stopper = launch({"stop", "deaf"});
  ASSERT_TRUE(wait_state("deaf", "stopping"));
  kill_hard(manager);
  const Output output = stopper->finish(20s);
  EXPECT_EQ(output.status, 0) << output;
  expect_gone(pid, "the job");
  EXPECT_EQ(status("deaf").state, "stopped");
}

TEST_F(ManagerKillTest, ExitWhileItIsDownIsToldWithItsCode) {
  start({"--name", "code", "-1", "--", probe(), "wait-file", path("go"), "--", "exit", "41"});
  start({"--name", "kept", "--", probe(), "count-file", path("starts"), "--", "serve"});
  const pid_t code = pid_of("code");
  const pid_t kept = pid_of("kept");
  const pid_t manager = manager_pid();
  const pid_t keeper = keeper_pid();
  freeze(keeper);  // so that no manager is started meanwhile
  kill_hard(manager);
  write("go", "");
  ::kill(kept, SIGSEGV);
  ASSERT_TRUE(wait_until(5s, [&] { return !alive(code) && !alive(kept); }));
  thaw(keeper);
  ASSERT_TRUE(wait_state("code", "stopped", 15s));
  EXPECT_EQ(status("code").exit_code, 41);
  EXPECT_EQ(events_of("code", "exited").size(), 1U);
  ASSERT_GT(wait_new_pid("kept", kept), 0);
  EXPECT_EQ(status("kept").exit_signal, "SEGV");
  EXPECT_EQ(status("kept").deaths, 1);
  EXPECT_EQ(events_of("kept", "exited").size(), 1U);
  EXPECT_EQ(count_of(read(path("starts")), "start\n"), 2U);
}

TEST_F(ManagerKillTest, RepeatedKillsStartNothingTwice) {
  start({"-n", "5", "-g", "web", "--", probe(), "count-file", path("starts"), "--", "serve"});
  const auto before = pids();
  pid_t manager = manager_pid();
  for (int round = 0; round < 10; ++round) {
    kill_hard(manager);
    manager = wait_new_manager(manager);
  }
  EXPECT_EQ(pids(), before);
  EXPECT_EQ(count_of(read(path("starts")), "start\n"), 5U);
  EXPECT_EQ(job_processes().size(), 5U) << list(job_processes());
}

TEST_F(ManagerKillTest, TimeToSettleGoesOn) {
  const auto client = launch({"start", "--name", "web", "--settle", "6", "--", probe(), "serve"});
  ASSERT_TRUE(wait_state("web", "running"));
  const auto began = std::chrono::steady_clock::now();
  int kills = 0;
  const auto ended = [&] { return !client->pump(1s); };
  // Never as long as the time to settle without a kill.
  while (!ended() && std::chrono::steady_clock::now() - began < 40s) {
    kill_hard(manager_pid());
    ++kills;
  }
  const Output output = client->finish(1s);
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_GE(kills, 2);
}

TEST_F(ManagerKillTest, CountdownGoesOn) {
  start({"--name", "bad", "--", probe(), "wait-file", path("go"), "--", "exit", "1"});
  write("go", "");
  ASSERT_TRUE(wait_state("bad", "waiting"));
  const auto deaths = status("bad").deaths;
  const pid_t manager = manager_pid();
  kill_hard(manager);
  wait_new_manager(manager);
  EXPECT_TRUE(wait_until(30s, [&] { return status("bad").deaths > deaths; })) << status("bad");
}

TEST_F(ManagerKillTest, KeeperKillLosesNoJob) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  start({"--name", "tick", "--", probe(), "tick", "1"});
  const auto before = pids();
  const pid_t keeper = keeper_pid();
  const pid_t manager = manager_pid();
  kill_hard(keeper);
  EXPECT_EQ(ok({"status"}).status, 0);
  wait_new_keeper(keeper);
  EXPECT_EQ(pids(), before);
  EXPECT_EQ(manager_pid(), manager);
  for (const auto& [name, pid] : before) EXPECT_TRUE(alive(pid)) << name;
  const auto size = log_text("tick").size();
  EXPECT_TRUE(wait_until(5s, [&] { return log_text("tick").size() > size; })) << "output has stalled";
  stop({"tick"});
  expect_every_tick("tick");
  // Jobs are still watched, kept alive, and new ones can be started.
  kill_hard(before.at("web-1"));
  EXPECT_GT(wait_new_pid("web-1", before.at("web-1")), 0);
  start({"--name", "new", "--", probe(), "serve"});
  stop({"all"});
  EXPECT_TRUE(job_processes().empty()) << list(job_processes());
}

TEST_F(ManagerKillTest, KeeperAndManagerInTurn) {
  start({"-n", "3", "-g", "web", "--", probe(), "count-file", path("starts"), "--", "serve"});
  const auto before = pids();
  for (int round = 0; round < 3; ++round) {
    const pid_t keeper = keeper_pid();
    kill_hard(keeper);
    wait_new_keeper(keeper);
    const pid_t manager = manager_pid();
    kill_hard(manager);
    wait_new_manager(manager);
  }
  EXPECT_EQ(pids(), before);
  EXPECT_EQ(count_of(read(path("starts")), "start\n"), 3U);
}

}  // namespace

}  // namespace usvc::test
