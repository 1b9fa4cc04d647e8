// Too little of something: disk, descriptors, processes, time to run.
#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

using StarvedTest = CliTest;

// The instance's home is a file system of a few megabytes, which only the processes of this test see.
class FullDiskTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (geteuid() != 0) GTEST_SKIP() << "only root can mount";
    fs::create_directory(home());
    const std::string where = home();
    holder_ = launch_program({"/bin/sh", "-c", "echo ready; exec sleep 1000"}, {.in_child = [where] {
                               const bool made = unshare(CLONE_NEWNS) == 0 &&
                                                 mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                                                 mount("small", where.c_str(), "tmpfs", 0, "size=6m,mode=0700") == 0;
                               if (!made) _exit(99);
                             }});
    holder_->wait_output(10s, [](const Output& output) { return contains(output.out, "ready"); });
    if (!contains(holder_->output().out, "ready")) GTEST_SKIP() << "no mount namespace of its own";
    space_ = Fd(open(("/proc/" + std::to_string(holder_->pid()) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
    inside_ = "/proc/" + std::to_string(holder_->pid()) + "/root" + home();
  }
  void TearDown() override {
    if (space_) (void)within({"shutdown"});
    holder_.reset();
    CliTest::TearDown();
  }
  Output within(const Args& args) {
    return run(args, {.in_child = [space = space_.get()] {
                 if (setns(space, CLONE_NEWNS) != 0) _exit(99);
               }});
  }
  std::unique_ptr<Child> launch_within(const Args& args) {
    return launch(args, {.in_child = [space = space_.get()] {
                    if (setns(space, CLONE_NEWNS) != 0) _exit(99);
                  }});
  }
  // Takes all the room there is.
  void fill() {
    std::ofstream filler(inside_ + "/filler", std::ios::binary);
    const std::string piece(4096, 'x');
    while (filler.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush()) {
    }
  }
  void make_room() { fs::remove(inside_ + "/filler"); }
  std::string inside(const std::string& file) const { return inside_ + "/" + file; }

 private:
  std::unique_ptr<Child> holder_;
  Fd space_;
  std::string inside_;
};

TEST_F(FullDiskTest, OutputWaitsAndIsAllThereOnceThereIsRoom) {
  const std::string go = path("go");
  const Output made = within({"start", "--no-tty", "--name", "loud", "--", probe(), "wait-file", go, "--", "flood",
                              "2000000", "100", "--", "serve"});
  ASSERT_EQ(made.status, 0) << made;
  ASSERT_EQ(within({"start", "--name", "web", "--", probe(), "serve"}).status, 0);
  const std::string spin = path("spin");
  ASSERT_EQ(within({"start", "--no-runaway-protect", "--settle", "0", "--no-tty", "-n", "8", "-g", "spin", "--",
                    probe(), "wait-file", spin})
                .status,
            0);
  fill();
  write(go, "");
  EXPECT_TRUE(wait_until(15s, [&] {
    return contains(within({"status", "loud"}).out, "No space left");
  })) << within({"status"});
  // The rest of what usvc is for goes on.
  EXPECT_EQ(within({"stop", "web"}).status, 0);
  EXPECT_TRUE(contains(within({"status", "web"}).out, "stopped"));
  EXPECT_EQ(within({"start", "web"}).status, 0);
  // Jobs that keep dying use up the room that is set aside for the journal.
  write(spin, "");
  EXPECT_TRUE(wait_until(40s, [&] { return contains(within({"status"}).all(), "/journal/"); }))
      << "what could not be written must be told";
  EXPECT_EQ(within({"stop", "spin"}).status, 0);
  make_room();
  EXPECT_TRUE(wait_until(15s, [&] {
    std::error_code error;
    return fs::file_size(inside("logs/loud.log"), error) == 2'000'000;
  })) << fs::file_size(inside("logs/loud.log"));
  EXPECT_TRUE(wait_until(10s, [&] { return !contains(within({"status", "loud"}).out, "No space left"); }));
  ASSERT_EQ(within({"stop", "all"}).status, 0);
  const Output after = within({"status"});
  EXPECT_FALSE(contains(after.all(), "/journal/")) << "the journal has caught up: " << after;
  EXPECT_TRUE(contains(within({"events", "web"}).out, "stopped")) << within({"events"});
}

// Its reader is not to take for all of it what there was room for.
TEST_F(FullDiskTest, RunTellsThatOutputIsMissing) {
  const std::string go = path("go");
  const auto client =
      launch_within({"run", "--name", "short", "--", probe(), "wait-file", go, "--", "flood", "30000", "100"});
  ASSERT_TRUE(wait_until(15s, [&] { return contains(within({"events", "short"}).out, "started, pid"); }));
  fill();
  write(go, "");
  const Output output = client->finish(40s);
  EXPECT_EQ(output.status, 5) << output.err;
  EXPECT_TRUE(contains(output.err, "missing here")) << output.err;
}

TEST_F(StarvedTest, StoppedManagerStopsNoJob) {
  start({"--name", "ticker", "--no-tty", "--", probe(), "tick", "5", "400", "--", "exit", "7"});
  const pid_t manager = manager_pid();
  freeze(manager);
  ASSERT_EQ(state_of(manager), 'T');
  EXPECT_TRUE(wait_until(10s, [&] { return job_processes().empty(); })) << "the job ends although nobody looks";
  thaw(manager);
  ASSERT_TRUE(wait_log("ticker", "tick 400\n"));
  EXPECT_TRUE(wait_until(10s, [&] { return !events_of("ticker", "exited").empty(); }));
  EXPECT_EQ(number_of(events_of("ticker", "exited").front(), "code"), 7);
  EXPECT_EQ(manager_pid(), manager);
}

TEST_F(StarvedTest, StoppedManagerIsNamedAndDoesNothingAfterwardsThatHasFailed) {
  start({"--name", "job", "--", probe(), "serve"});
  const pid_t manager = manager_pid();
  const Job before = status("job");
  freeze(manager);
  const auto stop = launch(with("stop", {"job"}));
  const Output looked = run({"status", "--json"});
  EXPECT_TRUE(contains(looked.err, "(pid " + std::to_string(manager) + ") has been stopped by a signal")) << looked;
  EXPECT_TRUE(contains(looked.err, "this is what is on disk")) << looked;
  EXPECT_TRUE(contains(looked.out, "\"state\":\"running\"")) << looked;
  EXPECT_TRUE(contains(looked.out, "\"pid\":" + std::to_string(before.pid))) << looked;
  EXPECT_EQ(manager_pid(), manager);
  const Output stopped = stop->finish(40s);
  EXPECT_EQ(stopped.status, 4) << stopped;
  EXPECT_TRUE(contains(stopped.err, "kill -CONT " + std::to_string(manager))) << stopped;
  thaw(manager);
  ok({"conf", "job", "stop-timeout", "5"});  // asked after it
  EXPECT_EQ(status("job").pid, before.pid);
  EXPECT_TRUE(status("job").wanted);
}

TEST_F(StarvedTest, JobThatClosesItsOutputRuns) {
  start({"--name", "terminal", "--", probe(), "print", "last words", "--", "close-output"});
  start({"--name", "pipe", "--no-tty", "--", probe(), "print", "last words", "--", "close-output"});
  for (const auto& job : jobs()) {
    EXPECT_EQ(job.state, "running") << job;
    EXPECT_EQ(job.deaths, 0) << job;
    EXPECT_TRUE(wait_log(job.name, "last words\n"));
  }
}

TEST_F(StarvedTest, EndlessLineIsAllThere) {
  constexpr std::uintmax_t bytes = 200'000'000;
  start({"--name", "line", "--no-tty", "--log-max-size", "1G", "--", "/bin/sh", "-c",
         "head -c 200000000 /dev/zero; exec sleep 1000"});
  const std::string log = home() + "/logs/line.log";
  EXPECT_TRUE(wait_until(30s, [&] {
    std::error_code error;
    return fs::file_size(log, error) == bytes;
  })) << fs::file_size(log);
  std::ifstream memory("/proc/" + std::to_string(manager_pid()) + "/status");
  for (std::string line; std::getline(memory, line);) {
    if (line.starts_with("VmRSS:")) {
      EXPECT_LT(std::stol(line.substr(6)), 400L << 10U) << line;
    }
  }
}

// USVC_TEST_MANY: another number of them, by hand.
TEST_F(StarvedTest, ManyThatDieAtOnceAreAllToldAndTheManagerAnswersMeanwhile) {
  const char* const asked = std::getenv("USVC_TEST_MANY");
  const std::string number = asked == nullptr ? "1000" : asked;
  const auto count = static_cast<std::size_t>(std::stoul(number));
  const std::string lock = write("lock", "");
  Fd held(open(lock.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(flock(held.get(), LOCK_EX), 0);
  const auto begin = std::chrono::steady_clock::now();
  ok({"start", "-n", number, "-g", "doomed", "--restart", "never", "--settle", "0", "--no-tty", "--", probe(),
      "wait-lock", lock, "--", "exit", "3"},
     {.deadline = 50s});
  const auto death = std::chrono::steady_clock::now();
  held.reset();
  std::chrono::steady_clock::duration worst{};
  // Of all of them: the journal knows of each end, and nothing is left to do.
  EXPECT_TRUE(wait_until(50s, [&] {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_GT(manager_pid(), 0) << "the manager does not answer";
    worst = std::max(worst, std::chrono::steady_clock::now() - before);
    return lines_of(run({"jobs", "state:stopped"}).out).size() == count;
  }));
  const auto end = std::chrono::steady_clock::now();
  std::set<std::string> told;
  const auto ends = events_of("", "exited");
  EXPECT_EQ(ends.size(), count) << "one for each";
  for (const auto& exit : ends) {
    EXPECT_EQ(number_of(exit, "code"), 3);
    told.insert(text_of(exit, "job"));
  }
  EXPECT_EQ(told.size(), count);
  const auto ms = [](auto time) { return std::to_string(std::chrono::duration_cast<milliseconds>(time).count()); };
  RecordProperty("start_ms", ms(death - begin));
  RecordProperty("death_ms", ms(end - death));
  RecordProperty("worst_answer_ms", ms(worst));
  if (asked != nullptr) {
    std::cout << number << ": started in " << ms(death - begin) << " ms, all told and at rest after " << ms(end - death)
              << " ms, worst answer " << ms(worst) << " ms\n";
  }
}

TEST_F(StarvedTest, StoppedKeeperIsNamedAndNothingIsLost) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t web = pid_of("web");
  const pid_t keeper = keeper_pid();
  const std::string named = "the keeper (pid " + std::to_string(keeper) + ") has been stopped by a signal";
  const std::string cure = "kill -CONT " + std::to_string(keeper);
  freeze(keeper);
  const auto starting = launch({"start", "--name", "next", "--", probe(), "serve"});
  const Output looked = ok({"status"});
  EXPECT_TRUE(contains(looked.all(), named)) << looked;
  EXPECT_TRUE(contains(looked.all(), cure)) << looked;
  EXPECT_EQ(pid_of("web"), web);
  const auto stop = launch({"stop", "web"});
  EXPECT_TRUE(wait_until(10s, [&] { return !alive(web); })) << "its signal needs no keeper";
  thaw(keeper);
  EXPECT_EQ(stop->finish(20s).status, 0);
  EXPECT_EQ(starting->finish(20s).status, 0) << "it has waited";
  EXPECT_EQ(text_of(events_of("web", "exited").front(), "signal"), "TERM");
  EXPECT_EQ(status("next").runs, 1);
  EXPECT_TRUE(wait_until(10s, [&] { return job_processes().size() == 1; })) << list(job_processes());
  EXPECT_FALSE(contains(ok({"status"}).all(), named));
}

TEST_F(StarvedTest, NoMoreProcesses) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  be_user(nobody);
  start({"--name", "web", "--", probe(), "serve"});
  // Set by the user itself: another one's limits root can't set everywhere (a container without CAP_SYS_RESOURCE).
  const std::string keeper = std::to_string(keeper_pid());
  const auto allow = [&](const std::string& processes) {
    return run_program({"/usr/bin/prlimit", "--pid", keeper, "--nproc=" + processes + ":"});
  };
  const Output before =
      run_program({"/usr/bin/prlimit", "--pid", keeper, "--nproc", "--raw", "--noheadings", "--output", "SOFT"});
  ASSERT_EQ(before.status, 0) << before;
  ASSERT_EQ(allow("1").status, 0) << allow("1");
  const Output output = fails(1, {"start", "--name", "next", "--", probe(), "serve"});
  EXPECT_TRUE(contains(output.err, "Resource temporarily unavailable")) << output;
  EXPECT_EQ(status("web").state, "running");
  const Output lifted = allow(before.out.substr(0, before.out.find('\n')));
  ASSERT_EQ(lifted.status, 0) << lifted;
  start({"--name", "again", "--", probe(), "serve"});
  EXPECT_EQ(status("again").state, "running");
}

TEST_F(StarvedTest, NoMoreDescriptors) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t web = pid_of("web");
  for (const pid_t pid : {manager_pid(), keeper_pid()}) {
    rlimit before{};
    const fs::directory_iterator open("/proc/" + std::to_string(pid) + "/fd");
    const auto held = static_cast<rlim_t>(std::distance(begin(open), end(open)));
    ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &before), 0);
    const rlimit few{held + 2, before.rlim_max};
    ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &few, nullptr), 0);
    const Output output = run({"start", "--name", "next", "--", probe(), "serve"});
    EXPECT_NE(output.status, 0) << output;
    EXPECT_TRUE(output.err.starts_with("usvc: ")) << output;
    EXPECT_TRUE(alive(web));
    ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &before, nullptr), 0);
    EXPECT_TRUE(wait_until(15s, [&] { return run({"stop", "next"}).status != 4; }));
    (void)run({"clean", "next"});
    EXPECT_EQ(pid_of("web"), web);
  }
  start({"--name", "again", "--", probe(), "serve"});
}

// In a mount namespace whose /dev/pts has two terminals only.
TEST_F(StarvedTest, NoMoreTerminals) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount";
  const Output first = run({"start", "--name", "web", "--", probe(), "serve"}, {.in_child = [] {
                             const bool made = unshare(CLONE_NEWNS) == 0 &&
                                               mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                                               mount("few", "/dev/pts", "devpts", 0, "max=2,ptmxmode=666") == 0 &&
                                               mount("/dev/pts/ptmx", "/dev/ptmx", nullptr, MS_BIND, nullptr) == 0;
                             if (!made) _exit(99);
                           }});
  if (first.status == 99) GTEST_SKIP() << "no mount namespace of its own";
  ASSERT_EQ(first.status, 0) << first;
  const Fd space(open(("/proc/" + std::to_string(manager_pid()) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  const RunOptions within{.in_child = [&space] {
    if (setns(space.get(), CLONE_NEWNS) != 0) _exit(99);
  }};
  start({"--name", "api", "--", probe(), "serve"});
  const Output refused = fails(1, {"start", "--name", "next", "--", probe(), "serve"});
  EXPECT_TRUE(contains(refused.err, "2 of 2 terminals are taken: mount /dev/pts with a larger max=, or use --no-tty"))
      << refused;
  const Output ill = run({"doctor"}, within);
  EXPECT_EQ(ill.status, 1);
  EXPECT_TRUE(contains(ill.out, "trouble  terminals  2 of 2 pseudo-terminals are taken")) << ill;
  const std::string mend = "mount -o remount,max=4096 /dev/pts";
  ASSERT_TRUE(contains(ill.out, "-> sudo " + mend)) << ill;
  ASSERT_EQ(run_program({"/bin/sh", "-c", mend}, within).status, 0);
  start({"--name", "next", "--", probe(), "serve"});
  EXPECT_FALSE(contains(run({"doctor"}, within).out, "trouble  terminals"));
}

}  // namespace

}  // namespace usvc::test
