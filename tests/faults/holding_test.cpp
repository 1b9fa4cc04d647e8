// What keeper and manager hold both: given later where there are no descriptors left just then, and taken over as it
// is.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/fd.h"
#include "base/window_size.h"
#include "faults/fixture.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

// For as long as it lives, the process can't open anything.
class Starved {
 public:
  explicit Starved(pid_t pid) : pid_(pid) {
    rlim_t free = 0;
    while (fs::exists(fs::symlink_status("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(free)))) ++free;
    EXPECT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &before_), 0);
    const rlimit none{free, before_.rlim_max};
    EXPECT_EQ(prlimit(pid, RLIMIT_NOFILE, &none, nullptr), 0);
  }
  ~Starved() { EXPECT_EQ(prlimit(pid_, RLIMIT_NOFILE, &before_, nullptr), 0); }
  Starved(const Starved&) = delete;
  Starved& operator=(const Starved&) = delete;

 private:
  pid_t pid_;
  rlimit before_{};
};

class HoldingTest : public FaultTest {
 protected:
  bool told(const std::string& message) {
    return wait_until(20s, [&] {
      const auto errors = events_of("", "error");
      return std::any_of(errors.begin(), errors.end(),
                         [&](const auto& error) { return contains(text_of(error, "message"), message); });
    });
  }
  // The keeper is killed; who comes to the point next is returned, stopped there.
  pid_t lose_keeper(std::string_view point) {
    arm(point);
    kill_hard(keeper_process());
    return stopped_at(point);
  }
  // A job "job" with a terminal that writes so many lines once there is the file "go".
  void start_waiting(const std::string& lines) {
    const std::string& ledgers = ledger().directory();
    start({"--settle",  "0",        "--name", "job",   "--",    probe(), "begin", ledgers, "job", "--",
           "wait-file", path("go"), "--",     "lines", ledgers, "job",   "0",     lines,   "--",  "serve"});
  }
  static void limit_files(pid_t process, rlim_t bytes) {
    const rlimit limit{.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    EXPECT_EQ(prlimit(process, RLIMIT_FSIZE, &limit, nullptr), 0);
  }
  bool log_is_full() {
    return wait_until(20s, [&] { return contains(run({"status", "job"}).out, "File too large"); });
  }
  void kill_manager() {
    const auto managers = journaled("manager-started");
    kill_hard(manager_process());
    EXPECT_TRUE(wait_until(20s, [&] { return journaled("manager-started") > managers; }));
  }
};

TEST_F(HoldingTest, KeeperThatHasNoRoomAtTheHandOverIsAskedAgain) {
  stand_by();
  const pid_t keeper = lose_keeper("keeper.adopted");
  ASSERT_GT(keeper, 0);
  {
    const Starved starved(keeper);
    thaw(keeper);
    EXPECT_TRUE(told("no descriptors left to hold everything twice"));
  }
  EXPECT_TRUE(told("everything is held twice again"));
  kill_manager();
  const Expected expected{.keeper_died = true};
  check_bystanders(expected);
  check_in_the_end({}, expected);
}

TEST_F(HoldingTest, ManagerThatHasNoneLeftAtTheHandOverHandsOverAll) {
  stand_by();
  const pid_t manager = lose_keeper("manager.keeper-started");
  ASSERT_GT(manager, 0);
  {
    const Starved starved(manager);
    thaw(manager);
    EXPECT_TRUE(wait_until(20s, [&] { return journaled("keeper-started") == 2; }));
  }
  EXPECT_EQ(manager_process(), manager) << "it has outlived that";
  kill_manager();
  const Expected expected{.keeper_died = true};
  check_bystanders(expected);
  check_in_the_end({}, expected);
}

TEST_F(HoldingTest, CarryPipeIsExchangedOnceTheKeeperHasTheOldOne) {
  stand_by();
  start_waiting("40000");
  limit_files(manager_process(), 400'000);
  arm("carry.exchange");
  {
    const Starved starved(keeper_process());
    write("go", "");
    ASSERT_TRUE(log_is_full());
  }
  const pid_t manager = stopped_at("carry.exchange");
  ASSERT_GT(manager, 0);
  kill_manager();
  EXPECT_TRUE(wait_until(20s, [&] { return contains(whole_log("job"), " 40000\n"); }));
  check_bystanders({});
  check_in_the_end({"job"}, {.ends = {"TERM"}});
}

TEST_F(HoldingTest, StoppedKeeperDoesNotKeepTheOtherTerminalsWaitingForAFullLog) {
  stand_by();
  start_waiting("40000");
  limit_files(manager_process(), 400'000);
  const pid_t keeper = keeper_process();
  freeze(keeper);
  write("go", "");
  ASSERT_TRUE(log_is_full());
  // Its own log and no other, however long the keeper stands still.
  const auto lines = [&] { return lines_of(whole_log("by-terminal")).size(); };
  EXPECT_TRUE(told("the keeper (pid " + std::to_string(keeper) + ") has been stopped by a signal (kill -CONT "));
  const std::size_t before = lines();
  EXPECT_TRUE(wait_until(20s, [&] { return lines() > before + 100; })) << before;
  EXPECT_TRUE(contains(run({"status"}).err + run({"status"}).out, "kill -CONT " + std::to_string(keeper)));
  const auto managers = journaled("manager-started");
  kill_hard(manager_process());
  thaw(keeper);
  EXPECT_TRUE(wait_until(20s, [&] { return journaled("manager-started") > managers; }));
  EXPECT_TRUE(wait_until(20s, [&] { return contains(whole_log("job"), " 40000\n"); }));
  check_bystanders({});
  check_in_the_end({"job"}, {.ends = {"TERM"}});
}

// The keeper gives them to the run they are of before it starts the next manager.
TEST_F(HoldingTest, BytesInTheCarryPipeThatNobodyCanWriteNowOutliveTheManager) {
  ok({"init"});
  constexpr std::size_t before = 400'000;
  std::ofstream(home() + "/logs/job.log") << std::string(before - 1, 'x') << '\n';
  start_waiting("100");
  for (const pid_t pid : {manager_process(), keeper_process()}) limit_files(pid, before);
  arm("carry.filled");
  write("go", "");
  ASSERT_GT(stopped_at("carry.filled"), 0);
  kill_manager();
  EXPECT_TRUE(log_is_full());
  for (const pid_t pid : {manager_process(), keeper_process()}) limit_files(pid, RLIM_INFINITY);
  EXPECT_TRUE(wait_until(20s, [&] { return contains(whole_log("job"), " 100\n"); }));
  const auto lines = lines_of(whole_log("job").substr(before));
  ASSERT_EQ(lines.size(), 100U);
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_TRUE(lines[i].ends_with(" " + std::to_string(i + 1)));
}

TEST_F(HoldingTest, RunThatEndedOnAFullDiskStaysAheadOfTheNextOne) {
  ok({"init"});
  constexpr std::size_t before = 400'000;
  std::ofstream(home() + "/logs/job.log") << std::string(before - 1, 'x') << '\n';
  const std::string& ledgers = ledger().directory();
  start({"--settle",    "0",         "--no-tty",      "--name", "job",   "--",    probe(), "begin", ledgers, "job",
         "--",          "wait-file", path("go"),      "--",     "lines", ledgers, "job",   "0",     "100",   "--",
         "crash-first", "1",         path("crashes"), "--",     "serve"});
  for (const pid_t pid : {manager_process(), keeper_process()}) limit_files(pid, before);
  write("go", "");
  ASSERT_TRUE(wait_until(20s, [&] { return status("job").runs == 2 && status("job").state == "running"; }));
  kill_manager();
  EXPECT_TRUE(log_is_full());
  for (const pid_t pid : {manager_process(), keeper_process()}) limit_files(pid, RLIM_INFINITY);
  std::vector<std::string> lines;
  EXPECT_TRUE(wait_until(20s, [&] {
    lines = lines_of(whole_log("job").substr(before));
    std::erase_if(lines, [](const std::string& line) { return !line.starts_with("line "); });
    return lines.size() == 200;
  }));
  ASSERT_EQ(lines.size(), 200U);
  ASSERT_EQ(ledger().begins("job").size(), 2U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string writer = std::to_string(ledger().begins("job")[i / 100].pid);
    EXPECT_TRUE(contains(lines[i], " " + writer + " ") && lines[i].ends_with(" " + std::to_string(i % 100 + 1)))
        << lines[i];
  }
}

// As one leaves it that is killed between the two sizes by which it has a program draw its screen anew.
TEST_F(HoldingTest, WindowThatWasLeftARowShortGetsItBack) {
  start({"--name", "job", "--", probe(), "serve"});
  std::error_code error;
  const auto pts = fs::read_symlink("/proc/" + std::to_string(pid_of("job")) + "/fd/0", error);
  const Fd terminal(::open(pts.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal) << pts;
  ASSERT_TRUE(set_passing_rows(terminal, {.rows = 40, .columns = 100}, 39));
  EXPECT_EQ(window_size(terminal), (WindowSize{.rows = 39, .columns = 100}));
  kill_manager();
  const auto whole = [&] { return window_size(terminal) == WindowSize{.rows = 40, .columns = 100}; };
  EXPECT_TRUE(wait_until(20s, whole));
}

// A start that is still making its jobs has their names already.
TEST_F(HoldingTest, LoadTakesNoNameThatAStartHasBeenGiven) {
  ok({"init"});
  arm("manager.conf-written", 2);
  const auto starting = launch({"start", "-n", "100", "-g", "web", "--settle", "0", "-1", "--", "/bin/true"});
  const pid_t manager = stopped_at("manager.conf-written");
  ASSERT_GT(manager, 0);
  const std::string set = write("set",
                                "[group \"web\"]\n\tcmd = /bin/true\n\tkeepalive = false\n"
                                "\tsettle = 0\n\tcopies = 1\n\tjob = web-50\n");
  const auto loading = launch({"load", set});
  // It has asked: its request waits in the socket, and it for the answer.
  ASSERT_TRUE(wait_until(20s, [&] {
    const std::string process = "/proc/" + std::to_string(loading->pid());
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator(process + "/fd", gone)) {
      const bool socket = contains(fs::read_symlink(entry.path(), gone).string(), "socket:");
      if (socket && contains(read(process + "/stat"), ") S ")) return true;
    }
    return false;
  }));
  thaw(manager);
  EXPECT_EQ(starting->finish(40s).status, 0);
  const Output loaded = loading->finish(40s);
  EXPECT_EQ(loaded.status, 0) << loaded;
  EXPECT_TRUE(contains(loaded.all(), "web-50")) << loaded;
  EXPECT_TRUE(contains(loaded.all(), "web-101")) << loaded;
  EXPECT_TRUE(contains(loaded.all(), "existed already")) << loaded;
  EXPECT_EQ(names({}).size(), 101U);
}

}  // namespace

}  // namespace usvc::test
