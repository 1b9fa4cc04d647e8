// usvc init --foreground: a process that stands for the instance, under a service manager or as a container's first.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/fd.h"
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

// The end of NOTIFY_SOCKET that systemd holds.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ADD_FAILURE() << "bind " << path;
    }
  }
  // Whether this has been told, now or before.
  bool heard(const std::string& text) {
    std::array<char, 256> message{};
    for (;;) {
      const ssize_t got = ::recv(socket_.get(), message.data(), message.size(), MSG_DONTWAIT);
      if (got < 0) return contains(all_, "\n" + text + "\n");
      all_ += std::string(message.data(), static_cast<std::size_t>(got)) + "\n";
    }
  }

 private:
  Fd socket_;
  std::string all_ = "\n";
};

class ForegroundTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    fs::create_directory(path("fake"));
    environment()["PATH"] = path("fake") + ":" + environment()["PATH"];
    restarting(false);
  }
  // What systemctl says of the unit's jobs.
  void restarting(bool it_is) {
    write("fake/systemctl", it_is ? "#!/bin/sh\necho '  71 usvc.service restart running'\n" : "#!/bin/sh\n", 0755);
  }
  std::unique_ptr<Child> foreground(const RunOptions& options = {}) {
    return launch({"init", "--foreground"}, options);
  }
  std::unique_ptr<Child> unit(const std::string& socket) {
    return foreground({.env = {{"NOTIFY_SOCKET", socket}, {"USVC_UNIT", "usvc.service"}}});
  }
  bool comes_up() {
    return wait_until(20s, [&] { return number_of(vars(), "manager_pid").has_value(); });
  }
};

TEST_F(ForegroundTest, TermShutsTheInstanceDownAndTheJobsStayWanted) {
  const auto child = foreground();
  ASSERT_TRUE(comes_up());
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t pid = pid_of("web");
  child->signal(SIGTERM);
  const Output output = child->finish(20s);
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(output.all(), "") << "quiet";
  expect_gone(pid, "the job");
  EXPECT_TRUE(own_processes().empty());
  EXPECT_TRUE(status("web").wanted);
}

TEST_F(ForegroundTest, TermEndsTheInstancesTmuxToo) {
  const auto child = foreground();
  ASSERT_TRUE(comes_up());
  const Args tmux = {"/usr/bin/env", "tmux", "-S", text_of(vars(), "tmux_socket"), "-f", "/dev/null"};
  const auto words = [&](const Args& rest) {
    Args all = tmux;
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
  };
  ASSERT_EQ(run_program(words({"new-session", "-d"})).status, 0);
  const pid_t server = std::atoi(run_program(words({"display-message", "-p", "#{pid}"})).out.c_str());
  ASSERT_GT(server, 1);
  child->signal(SIGTERM);
  EXPECT_EQ(child->finish(20s).status, 0);
  expect_gone(server, "the tmux server");
}

TEST_F(ForegroundTest, SomebodysShutdownEndsItToo) {
  const auto child = foreground();
  ASSERT_TRUE(comes_up());
  ok({"shutdown"});
  EXPECT_EQ(child->finish(20s).status, 0);
}

TEST_F(ForegroundTest, KilledItTakesNothingWithIt) {
  const auto child = foreground();
  ASSERT_TRUE(comes_up());
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t pid = pid_of("web");
  child->signal(SIGKILL);
  (void)child->finish(20s);
  const auto next = foreground();
  ASSERT_TRUE(next->wait_output(20s, [](const Output& output) { return contains(output.err, "already running"); }));
  EXPECT_EQ(pid_of("web"), pid);
  next->signal(SIGINT);
  EXPECT_EQ(next->finish(20s).status, 0);
}

TEST_F(ForegroundTest, WhatHasBeenKilledIsStartedAgain) {
  const auto child = foreground();
  ASSERT_TRUE(comes_up());
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t before = pid_of("web");
  const pid_t keeper = keeper_pid();
  const pid_t manager = manager_pid();
  freeze(keeper);
  kill_hard(manager);
  kill_hard(keeper);
  EXPECT_GT(wait_new_pid("web", before, 20s), 0);
  EXPECT_TRUE(child->wait_output(5s, [](const Output& output) { return contains(output.err, "started again"); }));
  child->signal(SIGTERM);
  EXPECT_EQ(child->finish(20s).status, 0);
}

TEST_F(ForegroundTest, WhatTheInstanceComplainsOfIsPassedOn) {
  const auto child = foreground();
  ASSERT_TRUE(comes_up());
  kill_hard(manager_pid());
  EXPECT_TRUE(child->wait_output(20s, [](const Output& output) { return contains(output.err, "signal 9"); }))
      << child->output();
  child->signal(SIGTERM);
  EXPECT_EQ(child->finish(20s).status, 0);
}

TEST_F(ForegroundTest, AUnitTellsWhenItIsReadyAndThatItEnds) {
  NotifySocket notified(path("notify"));
  const auto child = unit(path("notify"));
  ASSERT_TRUE(wait_until(20s, [&] { return notified.heard("READY=1"); }));
  EXPECT_GT(manager_pid(), 0) << "ready is ready";
  EXPECT_FALSE(notified.heard("STOPPING=1"));
  const std::string environment = read("/proc/" + std::to_string(keeper_pid()) + "/environ");
  EXPECT_FALSE(contains(environment, "NOTIFY_SOCKET")) << "it is not the instance's";
  child->signal(SIGTERM);
  EXPECT_EQ(child->finish(20s).status, 0);
  EXPECT_TRUE(notified.heard("STOPPING=1"));
}

TEST_F(ForegroundTest, ARestartOfTheUnitLeavesJobsAlone) {
  NotifySocket notified(path("notify"));
  auto child = unit(path("notify"));
  ASSERT_TRUE(wait_until(20s, [&] { return notified.heard("READY=1"); }));
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t pid = pid_of("web");
  restarting(true);
  child->signal(SIGTERM);
  EXPECT_EQ(child->finish(20s).status, 0);
  EXPECT_FALSE(notified.heard("STOPPING=1"));
  EXPECT_EQ(pid_of("web"), pid);
  restarting(false);
  NotifySocket again(path("again"));
  child = unit(path("again"));
  ASSERT_TRUE(wait_until(20s, [&] { return again.heard("READY=1"); }));
  EXPECT_EQ(pid_of("web"), pid);
  EXPECT_TRUE(events_of("", "upgraded").empty()) << "nothing new is installed";
  child->signal(SIGTERM);
  EXPECT_EQ(child->finish(20s).status, 0);
  expect_gone(pid, "the job");
}

TEST_F(ForegroundTest, AJobThatHadToBeKilledIsNoFailure) {
  const auto child = foreground();
  ASSERT_TRUE(comes_up());
  start({"--name", "deaf", "--stop-timeout", "0.3", "--", probe(), "ignore", "TERM", "--", "serve"});
  child->signal(SIGTERM);
  EXPECT_EQ(child->finish(20s).status, 0);
}

// A container's PID 1, as far as a process sees it.
class FirstProcessTest : public ForegroundTest {
 protected:
  // The process that is PID 1 in there.
  pid_t first_of(const Child& child) {
    pid_t found = 0;
    wait_until(10s, [&] {
      for (const Process& process : processes_of(directory())) {
        if (process.parent == child.pid()) found = process.pid;
      }
      return found != 0;
    });
    return found;
  }
  pid_t outer_pid(const std::string& program) {
    for (const Process& process : processes_of(directory())) {
      if (fs::path(process.executable).filename() == program) return process.pid;
    }
    return 0;
  }
};

TEST_F(FirstProcessTest, ReapsAndShutsDown) {
  const auto in_there = [&](const Args& words) {
    Args command = {"/usr/bin/unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"};
    command.insert(command.end(), words.begin(), words.end());
    return command;
  };
  if (run_program(in_there({"/bin/true"})).status != 0) GTEST_SKIP() << "no namespaces can be made here";
  const auto child = launch_program(in_there({program(), "init", "--foreground"}));
  const pid_t first = first_of(*child);
  ASSERT_GT(first, 0);
  ASSERT_TRUE(comes_up());
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t job = outer_pid("probe");
  ASSERT_GT(job, 0);
  kill_hard(outer_pid("usvc-keeper"));
  // Its parent is dead: the orphan is the first process's.
  ASSERT_TRUE(wait_until(10s, [&] { return outer_pid("usvc-keeper") > 0; }));
  ASSERT_EQ(::kill(job, SIGKILL), 0);
  EXPECT_TRUE(wait_until(20s, [&] { return state_of(job) == '-'; })) << "a zombie is left: " << state_of(job);
  EXPECT_TRUE(wait_until(20s, [&] { return outer_pid("probe") > 0; })) << "it is started again";
  ASSERT_EQ(::kill(first, SIGTERM), 0);
  EXPECT_EQ(child->finish(20s).status, 0) << child->output();
  EXPECT_TRUE(processes_of(directory()).empty()) << list(processes_of(directory()));
}

}  // namespace

}  // namespace usvc::test
