#include <algorithm>
#include <vector>

#include "proc/tree.h"
#include "unit/proc_testing.h"

namespace usvc {
namespace {

using testing_proc::Child;

Snapshot::Process process(pid_t pid, pid_t ppid, pid_t session, std::uint64_t rss = 1) {
  Snapshot::Process made;
  made.pid = pid;
  made.ppid = ppid;
  made.session = session;
  made.rss_bytes = rss;
  made.cpu_ticks = 10;
  return made;
}

Snapshot example() {
  return Snapshot({process(40, 20, 40, 8), process(1, 0, 1, 1000), process(10, 1, 10, 1), process(20, 10, 10, 2),
                   process(30, 10, 10, 4), process(50, 1, 10, 16), process(60, 50, 60, 32), process(70, 1, 70, 64)});
}

TEST(Snapshot, FindsByPid) {
  const Snapshot snapshot = example();
  ASSERT_NE(snapshot.find(40), nullptr);
  EXPECT_EQ(snapshot.find(40)->ppid, 20);
  EXPECT_EQ(snapshot.find(41), nullptr);
  EXPECT_TRUE(std::ranges::is_sorted(snapshot.processes(), {}, &Snapshot::Process::pid));
}

TEST(Snapshot, Descendants) {
  struct Case {
    pid_t pid;
    std::vector<pid_t> children;
    std::vector<pid_t> descendants;
  };
  for (const Case& test : {Case{10, {20, 30}, {20, 30, 40}}, Case{1, {10, 50, 70}, {10, 20, 30, 40, 50, 60, 70}},
                           Case{40, {}, {}}, Case{99, {}, {}}}) {
    EXPECT_EQ(example().children(test.pid), test.children) << test.pid;
    EXPECT_EQ(example().descendants(test.pid), test.descendants) << test.pid;
  }
}

TEST(Snapshot, UsageCountsTreeAndSessionOnce) {
  struct Case {
    pid_t pid;
    std::uint64_t rss;
    unsigned processes;
  };
  // 10 leads a session whose member 50 has lost its parent; 60 is a child of that one.
  for (const Case& test : {Case{10, 1 + 2 + 4 + 8 + 16 + 32, 6}, Case{20, 2 + 8, 2}, Case{70, 64, 1}, Case{99, 0, 0}}) {
    const Usage usage = example().usage_of(test.pid);
    EXPECT_EQ(usage.rss_bytes, test.rss) << test.pid;
    EXPECT_EQ(usage.processes, test.processes) << test.pid;
    EXPECT_EQ(usage.cpu_ticks, 10U * test.processes) << test.pid;
  }
}

TEST(Snapshot, ASessionOutlivesItsLeader) {
  const Snapshot snapshot({process(1, 0, 1), process(11, 1, 10), process(12, 11, 10)});
  EXPECT_EQ(snapshot.usage_of(10).processes, 2U);
}

TEST(Snapshot, ACircleEnds) {
  const Snapshot snapshot({process(1, 3, 0), process(2, 1, 0), process(3, 2, 0), process(4, 4, 0)});
  EXPECT_EQ(snapshot.descendants(1), (std::vector<pid_t>{2, 3}));
  EXPECT_EQ(snapshot.usage_of(1).processes, 3U);
  EXPECT_EQ(snapshot.usage_of(4).processes, 1U);
  EXPECT_TRUE(snapshot.descendants(4).empty());
}

TEST(Snapshot, ManyJobsAreSummedQuickly) {
  std::vector<Snapshot::Process> processes{process(1, 0, 1)};
  for (pid_t job = 0; job < 5000; ++job) {
    const pid_t main = 100 + job * 4;
    processes.push_back(process(main, 1, main));
    processes.push_back(process(main + 1, main, main));
    processes.push_back(process(main + 2, 1, main));
  }
  const Snapshot snapshot(std::move(processes));
  unsigned total = 0;
  for (pid_t job = 0; job < 5000; ++job) total += snapshot.usage_of(100 + job * 4).processes;
  EXPECT_EQ(total, 15'000U);
}

TEST(Snapshot, OfThisMachineHoldsUs) {
  const Snapshot snapshot = Snapshot::take();
  const Snapshot::Process* self = snapshot.find(::getpid());
  ASSERT_NE(self, nullptr);
  EXPECT_EQ(self->ppid, ::getppid());
  EXPECT_EQ(self->pgrp, ::getpgrp());
  EXPECT_EQ(self->session, ::getsid(0));
  EXPECT_GT(self->rss_bytes, 0U);
  EXPECT_EQ(self->start_ticks, testing_proc::stat_of(::getpid()).start_ticks);
}

TEST(Tree, OfRealProcesses) {
  const auto [heard, told] = testing_proc::make_pipe();
  const int out = told.get();
  const Child first([out] {
    const Child below([out] {
      testing_proc::tell(out, ::getpid());
      return testing_proc::sleep_forever();
    });
    return testing_proc::sleep_forever();
  });
  const Child second([] { return testing_proc::sleep_forever(); });
  const pid_t grandchild = testing_proc::hear(heard.get());
  ASSERT_GT(grandchild, 0);
  std::vector<pid_t> both{first.pid(), second.pid()};
  std::ranges::sort(both);
  EXPECT_EQ(children_of(::getpid()), both);
  EXPECT_EQ(children_of(first.pid()), std::vector<pid_t>{grandchild});
  EXPECT_TRUE(children_of(grandchild).empty());

  const Snapshot snapshot = Snapshot::take();
  EXPECT_EQ(snapshot.descendants(first.pid()), std::vector<pid_t>{grandchild});
  const Usage usage = snapshot.usage_of(first.pid());
  EXPECT_EQ(usage.processes, 2U);
  EXPECT_GT(usage.rss_bytes, 0U);
}

TEST(Children, OneThatTheKernelPassedOverIsFoundByTheNextLook) {
  std::vector<std::vector<pid_t>> looks = {{2, 3, 5}, {2, 4, 5}, {2, 4, 5}, {9}};  // 3 was reaped, and 4 passed over
  std::size_t look = 0;
  EXPECT_EQ(settled_children([&] { return looks.at(look++); }), (std::vector<pid_t>{2, 3, 4, 5}));
  EXPECT_EQ(look, 3U);
}

TEST(Children, ListThatStaysAsItIsIsReadTwice) {
  int looks = 0;
  EXPECT_EQ(settled_children([&] { return ++looks, std::vector<pid_t>{3, 2}; }), (std::vector<pid_t>{2, 3}));
  EXPECT_EQ(looks, 2);
}

TEST(Children, ListThatNeverSettlesIsLookedAtAFewTimes) {
  pid_t next = 1;
  EXPECT_EQ(settled_children([&] { return std::vector<pid_t>{next++}; }).size(), 5U);
}

}  // namespace
}  // namespace usvc
