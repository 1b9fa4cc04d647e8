// Keeper and manager are replaced by the installed programs, and no job notices.
//
// Each test has an installation of its own, a copy of the one under test. Another version is a copy of a program with a
// line appended (base/version.h); a bad one is a script in its place.
#include <filesystem>
#include <fstream>

#include "base/unix_socket.h"
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

class UpgradeTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (HasFatalFailure()) return;
    stage_ = fs::path(program()).parent_path().parent_path();
    fs::create_directories(path("usvc/bin"));
    fs::create_directories(helpers());
    fs::copy_file(program(), path("usvc/bin/usvc"));
    use_program(path("usvc/bin/usvc"));
    install("");
    old_ = own_version();
  }

  [[nodiscard]] std::string helpers() const { return path("usvc/libexec/usvc"); }
  // As a package is upgraded: by a rename, so what runs keeps its file. `words`: "version=9.9 protocol=7".
  void install(const std::string& words) {
    for (const char* name : {"usvc-keeper", "usvc-manager"}) install_one(name, words);
  }
  void install_one(const std::string& name, const std::string& words) {
    const std::string fresh = copy(name, path("fresh"), words);
    fs::rename(fresh, helpers() + "/" + name);
  }
  void install_client(const std::string& words) { fs::rename(copy_of("/bin/usvc", path("fresh"), words), program()); }
  std::string copy(const std::string& name, const std::string& to, const std::string& words) {
    return copy_of("/libexec/usvc/" + name, to, words);
  }
  std::string copy_of(const std::string& staged, const std::string& to, const std::string& words) {
    fs::copy_file(stage_ + staged, to, fs::copy_options::overwrite_existing);
    if (!words.empty()) std::ofstream(to, std::ios::binary | std::ios::app) << "\nusvc-test-copy " << words << "\n";
    return to;
  }
  // A program that says its version and then does something else: `rest` in sh, with the arguments.
  void install_script(const std::string& name, const std::string& rest) {
    const std::string fresh =
        write("fresh", "#!/bin/sh\n[ \"$1\" = --version ] && echo " + name + " 9.9 && exit 0\n" + rest + "\n", 0755);
    fs::rename(fresh, helpers() + "/" + name);
  }

  // One that makes the file "begun" and becomes a manager once there is a file "on".
  void install_slow_manager() {
    copy("usvc-manager", path("usvc-manager"), "version=9.9");
    install_script("usvc-manager", "touch " + path("begun") + "\nwhile [ ! -e " + path("on") +
                                       " ]; do sleep 0.02; done\nexec " + path("usvc-manager") + " \"$@\"");
  }

  std::string own_version() {
    std::string text = ok({"--version"}).out;
    return text.substr(5, text.size() - 6);
  }
  std::string manager_version() { return text_of(vars(), "version"); }
  std::string keeper_version() { return text_of(vars(), "keeper_version"); }

  // What must not change.
  struct Seen {
    std::map<std::string, pid_t> pids;
    std::map<std::string, pid_t> parents;
    bool operator==(const Seen&) const = default;
  };
  Seen look() {
    Seen seen;
    for (const auto& job : jobs()) seen.pids[job.name] = job.pid;
    for (const auto& process : job_processes()) {
      for (const auto& [name, pid] : seen.pids) {
        if (pid == process.pid) seen.parents[name] = process.parent;
      }
    }
    return seen;
  }
  Output upgrade(int status = 0) {
    Output output = run({"upgrade"}, {.deadline = 40s});
    EXPECT_EQ(output.status, status) << output;
    return output;
  }
  void expect_rolled_back() {
    const Seen before = look();
    const pid_t keeper = keeper_pid();
    const Output output = upgrade(1);
    EXPECT_TRUE(contains(output.err, "rolled back")) << output;
    EXPECT_TRUE(contains(output.err, "instance.log")) << output;
    EXPECT_EQ(look(), before);
    EXPECT_EQ(keeper_pid(), keeper);
    EXPECT_EQ(manager_version(), old_);
    EXPECT_EQ(keeper_version(), old_);
  }
  // And then a good one goes through, and the jobs are still looked after.
  void expect_next_works() {
    install("version=8.8");
    const Seen before = look();
    EXPECT_TRUE(contains(upgrade().out, "-> 8.8"));
    EXPECT_EQ(look(), before);
    EXPECT_EQ(manager_version(), "8.8");
  }
  void expect_looked_after(const std::string& job) {
    const pid_t pid = pid_of(job);
    kill_hard(pid);
    EXPECT_GT(wait_new_pid(job, pid, 20s), 0);
  }
  void expect_every_tick(const std::string& job) {
    const auto lines = lines_of(log_text(job));
    for (std::size_t i = 0; i < lines.size(); ++i) ASSERT_EQ(lines[i], "tick " + std::to_string(i + 1)) << job;
    EXPECT_GT(lines.size(), 0U);
  }
  void expect_ticking(const std::string& job) {
    const auto size = log_text(job).size();
    EXPECT_TRUE(wait_until(10s, [&] { return log_text(job).size() > size + 20; })) << job << " has stalled";
  }
  // One guardian at most is left over, for a moment.
  void expect_two_processes() {
    std::vector<Process> own;
    EXPECT_TRUE(wait_until(10s, [&] { return (own = own_processes()).size() == 2; })) << list(own);
  }

  std::string old_;

 private:
  std::string stage_;
};

TEST_F(UpgradeTest, JobsKeepTheirPidsAndTheirParent) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  start({"--name", "pipes", "--no-tty", "--", probe(), "serve"});
  const Seen before = look();
  const pid_t keeper = keeper_pid();
  const pid_t manager = manager_pid();
  for (const auto& [name, parent] : before.parents) EXPECT_EQ(parent, keeper) << name;
  ASSERT_EQ(before.parents.size(), 3U);
  install("version=9.9");
  EXPECT_EQ(upgrade().out, "manager " + old_ + " -> 9.9, keeper " + old_ + " -> 9.9\n");
  EXPECT_EQ(look(), before);
  EXPECT_EQ(keeper_pid(), keeper);
  EXPECT_NE(manager_pid(), manager);
  EXPECT_EQ(manager_version(), "9.9");
  EXPECT_EQ(keeper_version(), "9.9");
  EXPECT_EQ(events_of("", "upgraded").size(), 1U);
  expect_two_processes();
  // Everything still works, and so does the next one.
  expect_looked_after("web-1");
  expect_looked_after("pipes");
  stop({"web-2"});
  start({"web-2"});
  EXPECT_EQ(status("web-2").state, "running");
  const Seen again = look();
  EXPECT_EQ(upgrade().out, "manager 9.9 (the same version), keeper 9.9 (the same version)\n");
  EXPECT_EQ(look(), again);
  install("");
  const auto reply = json({"upgrade"});
  EXPECT_EQ(text_of(reply.as_object(), "manager_from"), "9.9");
  EXPECT_EQ(text_of(reply.as_object(), "manager_to"), old_);
  EXPECT_EQ(text_of(reply.as_object(), "keeper_to"), old_);
  EXPECT_EQ(look(), again);
}

TEST_F(UpgradeTest, NoOutputIsLostOrDoubledInTen) {
  start({"--name", "terminal", "--", probe(), "tick", "1"});
  start({"--name", "pipes", "--no-tty", "--", probe(), "tick", "1"});
  start({"--name", "apart", "--no-tty", "--split", "--", "sh", "-c", "exec \"$@\" >&2", "sh", probe(), "tick", "1"});
  const Seen before = look();
  for (int round = 0; round < 10; ++round) {
    upgrade();
    expect_ticking("pipes");
    expect_ticking("apart.err");
    expect_ticking("terminal");
  }
  EXPECT_EQ(look(), before);
  stop({"all"});
  expect_every_tick("terminal");
  expect_every_tick("pipes");
  expect_every_tick("apart.err");
  EXPECT_EQ(log_text("apart"), "");
}

TEST_F(UpgradeTest, ExitMeanwhileIsTold) {
  start({"--name", "once", "-1", "--", probe(), "wait-file", path("go"), "--", "spin", "300", "--", "exit", "41"});
  start({"--name", "kept", "--", probe(), "serve"});
  const Seen before = look();
  install_slow_manager();  // so that there is none when the jobs end
  const auto upgrading = launch({"upgrade"});
  ASSERT_TRUE(wait_until(20s, [&] { return exists(path("begun")); }));
  write("go", "");
  ::kill(before.pids.at("kept"), SIGSEGV);
  EXPECT_TRUE(wait_until(8s, [&] { return !alive(before.pids.at("once")) && !alive(before.pids.at("kept")); }));
  write("on", "");
  const Output output = upgrading->finish(30s);
  EXPECT_EQ(output.status, 0) << output;
  ASSERT_TRUE(wait_state("once", "stopped", 15s));
  EXPECT_EQ(status("once").exit_code, 41);
  const auto ends = events_of("once", "exited");
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_GE(number_of(ends[0], "cpu").value_or(0), 0.25);
  EXPECT_GT(number_of(ends[0], "max_rss_bytes").value_or(0), 0);
  ASSERT_GT(wait_new_pid("kept", before.pids.at("kept")), 0);
  EXPECT_EQ(status("kept").exit_signal, "SEGV");
  EXPECT_EQ(events_of("kept", "exited").size(), 1U);
}

TEST_F(UpgradeTest, ProtocolMayChangeUpAndDown) {
  start({"--name", "tick", "--", probe(), "tick", "1"});
  start({"--name", "web", "--no-tty", "--", probe(), "serve"});
  const Seen before = look();
  install("version=9.9 protocol=7");
  upgrade();
  EXPECT_EQ(manager_version(), "9.9");
  EXPECT_EQ(look(), before);
  start({"--name", "new", "--", probe(), "serve"});
  install("");
  const Seen with_new = look();
  upgrade();
  EXPECT_EQ(manager_version(), old_);
  EXPECT_EQ(look(), with_new);
  expect_looked_after("new");
  stop({"tick"});
  expect_every_tick("tick");
}

TEST_F(UpgradeTest, TwoThatDoNotSpeakTheSameAreRolledBack) {
  start({"--name", "tick", "--", probe(), "tick", "1"});
  install_one("usvc-keeper", "version=9.9 protocol=7");
  install_one("usvc-manager", "version=9.9 protocol=6");
  expect_rolled_back();
  expect_next_works();
  stop({"tick"});
  expect_every_tick("tick");
}

TEST_F(UpgradeTest, CrashingManagerIsRolledBack) {
  start({"--name", "tick", "--", probe(), "tick", "1"});
  install_one("usvc-keeper", "version=9.9 protocol=7");
  install_script("usvc-manager", "echo begun >>" + path("attempts") + "; kill -SEGV $$");
  expect_rolled_back();
  EXPECT_EQ(read(path("attempts")), "begun\nbegun\nbegun\n");
  EXPECT_EQ(events_of("", "error").size(), 1U);
  expect_two_processes();
  expect_looked_after("tick");
  expect_next_works();
}

TEST_F(UpgradeTest, RefusingManagerIsRolledBackAtOnce) {
  start({"--name", "web", "--", probe(), "serve"});
  install_script("usvc-manager", "echo begun >>" + path("attempts") + "; exit 3");
  expect_rolled_back();
  EXPECT_EQ(read(path("attempts")), "begun\n");
  expect_next_works();
}

TEST_F(UpgradeTest, HangingManagerIsRolledBackAndNoExitIsLost) {
  start({"--name", "once", "-1", "--no-tty", "--", probe(), "wait-file", path("go"), "--", "exit", "41"});
  start({"--name", "web", "--", probe(), "serve"});
  const Seen before = look();
  install_script("usvc-manager", "touch " + path("begun") + "; exec sleep 1000");
  const auto upgrading = launch({"upgrade"});
  ASSERT_TRUE(wait_until(20s, [&] { return exists(path("begun")); }));
  write("go", "");
  const Output output = upgrading->finish(40s);
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "rolled back")) << output;
  EXPECT_EQ(pid_of("web"), before.pids.at("web"));
  ASSERT_TRUE(wait_state("once", "stopped", 15s));
  EXPECT_EQ(status("once").exit_code, 41);
  EXPECT_EQ(events_of("once", "exited").size(), 1U);
  EXPECT_EQ(manager_version(), old_);
}

TEST_F(UpgradeTest, ProgramsThatCantBeRunChangeNothing) {
  start({"--name", "web", "--", probe(), "serve"});
  const Seen before = look();
  const pid_t manager = manager_pid();
  const auto expect_nothing = [&](const std::string& why) {
    const Output output = upgrade(1);
    EXPECT_TRUE(contains(output.err, why)) << output;
    EXPECT_TRUE(contains(output.err, "nothing was changed")) << output;
    EXPECT_EQ(manager_pid(), manager) << why;
  };
  for (const std::string name : {"usvc-keeper", "usvc-manager"}) {
    fs::remove(helpers() + "/" + name);
    expect_nothing("No such file");
    fs::create_directory(helpers() + "/" + name);
    expect_nothing("no program");
    fs::remove(helpers() + "/" + name);
    write(helpers() + "/" + name, "#!/bin/sh\nexit 5\n", 0755);
    expect_nothing("exit 5");
    write(helpers() + "/" + name, "#!/bin/sh\necho other 9.9\n", 0755);
    expect_nothing("is no " + name);
    write(helpers() + "/" + name, "garbage", 0755);
    expect_nothing(name);
    install_one(name, "");
  }
  EXPECT_EQ(look(), before);
  EXPECT_EQ(events_of("", "error").size(), 0U);
  expect_next_works();
}

TEST_F(UpgradeTest, KeeperThatDiesInItIsReplacedByItsGuard) {
  start({"--name", "tick", "--", probe(), "tick", "1"});
  start({"--name", "pipes", "--no-tty", "--", probe(), "tick", "1"});
  const Seen before = look();
  install_script("usvc-keeper", "exit 9");
  const Output output = upgrade(1);
  EXPECT_TRUE(contains(output.err, "rolled back")) << output;
  EXPECT_EQ(look().pids, before.pids);
  expect_ticking("tick");
  expect_ticking("pipes");
  expect_two_processes();
  expect_next_works();
  expect_looked_after("tick");
  stop({"pipes"});
  expect_every_tick("pipes");
}

TEST_F(UpgradeTest, KeeperKilledWhileThereIsNoManagerLosesNoJob) {
  start({"--name", "tick", "--", probe(), "tick", "1"});
  start({"--name", "pipes", "--no-tty", "--", probe(), "tick", "1"});
  start({"--name", "once", "-1", "--", probe(), "wait-file", path("go"), "--", "exit", "41"});
  const Seen before = look();
  install_slow_manager();
  const pid_t keeper = keeper_pid();
  const auto upgrading = launch({"upgrade"});
  ASSERT_TRUE(wait_until(20s, [&] { return exists(path("begun")); }));
  kill_hard(keeper);
  const Output output = upgrading->finish(30s);
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "rolled back")) << output;
  write("on", "");  // the new manager comes too late
  EXPECT_EQ(look().pids, before.pids);
  EXPECT_NE(keeper_pid(), keeper);
  EXPECT_EQ(manager_version(), old_);
  expect_ticking("tick");
  expect_ticking("pipes");
  expect_two_processes();
  write("go", "");
  ASSERT_TRUE(wait_state("once", "stopped", 15s));
  EXPECT_EQ(events_of("once", "exited").size(), 1U);
  expect_next_works();
  stop({"all"});
  expect_every_tick("tick");
  expect_every_tick("pipes");
}

TEST_F(UpgradeTest, NothingToUpgradeWithoutAnInstance) {
  const Output output = fails(4, {"upgrade"});
  EXPECT_TRUE(contains(output.err, "usvc init")) << output;
  EXPECT_TRUE(own_processes().empty());
  fails(2, {"upgrade", "now"});
}

TEST_F(UpgradeTest, ReplacedOnDiskChangesNothingUntilAsked) {
  start({"--name", "tick", "--", probe(), "tick", "1"});
  const pid_t job = pid_of("tick");
  install("version=9.9 protocol=7");
  for (int round = 0; round < 2; ++round) {
    const pid_t manager = manager_pid();
    kill_hard(manager);
    ASSERT_TRUE(wait_until(15s, [&] { return manager_pid() > 0 && manager_pid() != manager; }));
    EXPECT_EQ(manager_version(), old_);
    const pid_t keeper = keeper_pid();
    kill_hard(keeper);
    ASSERT_TRUE(wait_until(15s, [&] { return keeper_pid() > 0 && keeper_pid() != keeper; }));
    expect_ticking("tick");
  }
  EXPECT_EQ(pid_of("tick"), job);
  EXPECT_EQ(manager_version(), old_);
  EXPECT_TRUE(contains(upgrade().out, "-> 9.9"));
  EXPECT_EQ(pid_of("tick"), job);
  stop({"tick"});
  expect_every_tick("tick");
}

TEST_F(UpgradeTest, DoctorNamesAManagerOlderThanTheInstalledOne) {
  start({"--name", "web", "--", probe(), "serve"});
  EXPECT_FALSE(contains(run({"doctor"}).out, "usvc upgrade"));
  // First the helpers only, as halfway through an installation.
  install("version=9.9");
  EXPECT_TRUE(contains(run({"doctor"}).out, "the manager that runs is not the program that is installed now"));
  install_client("version=9.9");
  const Output output = run({"doctor"});
  EXPECT_EQ(output.status, 1);
  for (const std::string name : {"manager", "keeper"}) {
    EXPECT_TRUE(contains(output.out, "the " + name + " that runs is of version " + old_ + ", this usvc of 9.9"))
        << output;
  }
  EXPECT_TRUE(contains(output.out, "-> usvc upgrade")) << output;
  upgrade();
  EXPECT_TRUE(contains(run({"doctor"}).out, "runs, version 9.9")) << output;
}

// It finds everything in its socket, and a keeper that it can't look at any more.
TEST_F(UpgradeTest, ManagerWhoseKeeperDiedBeforeStartsTheSameVersion) {
  copy("usvc-manager", path("usvc-manager"), "");
  install_script("usvc-manager", "if [ -e " + path("slow") + " ]; then touch " + path("begun") + "; fi\nwhile [ -e " +
                                     path("slow") + " ]; do sleep 0.02; done\nexec " + path("usvc-manager") +
                                     " \"$@\"");
  start({"--name", "tick", "--", probe(), "tick", "1"});
  const pid_t job = pid_of("tick");
  const pid_t keeper = keeper_pid();
  write("slow", "");
  kill_hard(manager_pid());
  ASSERT_TRUE(wait_until(15s, [&] { return exists(path("begun")); }));
  install("version=9.9 protocol=7");
  kill_hard(keeper);
  fs::remove(path("slow"));
  ASSERT_TRUE(wait_until(15s, [&] { return keeper_pid() > 0 && keeper_pid() != keeper; }));
  EXPECT_EQ(manager_version(), old_);
  EXPECT_EQ(pid_of("tick"), job);
  expect_ticking("tick");
  start({"--name", "new", "--", probe(), "serve"}, {.deadline = 20s});
  upgrade();
  EXPECT_EQ(manager_version(), "9.9");
  EXPECT_EQ(pid_of("tick"), job);
  expect_two_processes();
}

TEST_F(UpgradeTest, KillOfEitherRightAfterTheRequest) {
  start({"--name", "tick", "--", probe(), "tick", "1"});
  start({"--name", "web", "--no-tty", "--", probe(), "count-file", path("starts"), "--", "serve"});
  const auto before = look().pids;
  int round = 0;
  for (const int delay_ms : {0, 5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 220}) {
    install("version=9." + std::to_string(round));
    const bool kill_keeper = round++ % 2 == 0;
    const pid_t victim = kill_keeper ? keeper_pid() : manager_pid();
    const auto upgrading = launch({"upgrade"});
    ::usleep(static_cast<useconds_t>(delay_ms) * 1000);  // nothing is waited for: any moment will do
    ::kill(victim, SIGKILL);
    const Output output = upgrading->finish(40s);
    EXPECT_LE(output.status, 1) << output;
    ASSERT_TRUE(wait_until(15s, [&] { return manager_pid() > 0 && keeper_pid() > 0; })) << delay_ms;
    EXPECT_EQ(manager_version(), keeper_version()) << delay_ms;
    EXPECT_EQ(look().pids, before) << delay_ms << " ms after the request, " << (kill_keeper ? "keeper" : "manager");
    expect_ticking("tick");
  }
  EXPECT_EQ(count_of(read(path("starts")), "start\n"), 1U);
  expect_two_processes();
  stop({"tick"});
  expect_every_tick("tick");
  expect_next_works();
}

TEST_F(UpgradeTest, SameKeyIsAnsweredNotDoneAgain) {
  start({"--name", "web", "--", probe(), "serve"});
  const auto ask = [&] {
    const auto socket = connect_unix(text_of(vars(), "socket"));
    if (!socket) return std::string();
    const std::string body = R"({"key":"same","directory":")" + helpers() + "\"}";
    const std::string request = "POST /v1/upgrade HTTP/1.1\r\nHost: usvc\r\nConnection: close\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\n\r\n" + body;
    (void)!::write(socket->get(), request.data(), request.size());
    std::string reply(4096, '\0');
    const ssize_t got = ::read(socket->get(), reply.data(), reply.size());
    reply.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return reply;
  };
  install("version=9.9");
  const pid_t first = manager_pid();
  std::string reply;
  // The first is cut off by the end of the manager it asks.
  ASSERT_TRUE(wait_until(20s, [&] { return contains(reply = ask(), "200 OK"); })) << reply;
  EXPECT_TRUE(contains(reply, R"("manager_to":"9.9")")) << reply;
  const pid_t manager = manager_pid();
  EXPECT_NE(manager, first);
  EXPECT_TRUE(contains(ask(), R"("manager_to":"9.9")"));
  EXPECT_EQ(manager_pid(), manager);
  EXPECT_EQ(events_of("", "upgraded").size(), 1U);
}

TEST_F(UpgradeTest, HundredsOfJobsFit) {
#ifdef USVC_SANITIZED
  constexpr std::size_t many = 50;  // each costs many times what it costs elsewhere
#else
  constexpr std::size_t many = 200;
#endif
  start({"-n", std::to_string(many), "-g", "many", "--settle", "0", "--", probe(), "serve"}, {.deadline = 45s});
  const Seen before = look();
  ASSERT_EQ(before.parents.size(), many);
  install("version=9.9");
  upgrade();
  EXPECT_EQ(look(), before);
}

}  // namespace

}  // namespace usvc::test
