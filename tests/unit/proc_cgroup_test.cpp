#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proc/cgroup.h"
#include "unit/proc_testing.h"

namespace usvc {
namespace {

using testing_proc::Child;

TEST(CgroupPath, FromTheTablesOfTheKernel) {
  struct Case {
    const char* own;
    const char* mounts;
    std::optional<std::string> path;
  };
  const char* const plain = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  const char* const hybrid =
      "30 1 0:25 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n31 1 0:26 / /sys/fs/cgroup/unified rw - cgroup2 c "
      "rw\n";
  const char* const bound = "30 1 0:26 /user.slice /cg rw - cgroup2 cgroup2 rw\n";
  for (const Case& test :
       {Case{"0::/user.slice/a\n", plain, "/sys/fs/cgroup/user.slice/a"}, Case{"0::/\n", plain, "/sys/fs/cgroup"},
        Case{"9:cpu:/x\n0::/y\n", hybrid, "/sys/fs/cgroup/unified/y"}, Case{"0::/user.slice/a\n", bound, "/cg/a"},
        Case{"0::/user.slice\n", bound, "/cg"}, Case{"0::/user.slices\n", bound, std::nullopt},
        Case{"0::/other\n", bound, std::nullopt}, Case{"0::/../a\n", plain, std::nullopt},
        Case{"9:cpu:/x\n", plain, std::nullopt}, Case{"0::\n", plain, std::nullopt}, Case{"", plain, std::nullopt},
        Case{"0::/a\n", "", std::nullopt}}) {
    EXPECT_EQ(own_cgroup_path(test.own, parse_mounts(test.mounts)), test.path) << test.own << test.mounts;
  }
}

TEST(CgroupPath, OnlyAWritableCgroupDirectoryIsTaken) {
  for (const char* wished : {"relative", "/", "/tmp", "/nowhere/at/all", "/proc"}) {
    EXPECT_EQ(delegated_cgroup(wished), std::nullopt) << wished;
  }
}

// A real cgroup where this machine lets us make one.
class CgroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const Mount& mount : read_mounts()) {
      if (mount.type != "cgroup2" || !delegated_cgroup(mount.point.c_str())) continue;
      auto made = Cgroup::create(mount.point, "usvc-test-" + std::to_string(::getpid()));
      ASSERT_TRUE(made) << made.error().message();
      cgroup_ = std::move(*made);
      return;
    }
    GTEST_SKIP() << "no cgroup2 hierarchy that may be written to";
  }
  void TearDown() override {
    if (!cgroup_) return;
    (void)cgroup_->kill();
    await_empty();
    const Status removed = cgroup_->remove();
    EXPECT_TRUE(removed) << removed.error().message();
  }
  void await_empty() const {
    const auto events = cgroup_->events_fd();
    ASSERT_TRUE(events);
    while (cgroup_->populated()) {
      // Reading the file is what arms the next notice.
      char drop = 0;
      ASSERT_EQ(::pread(events->get(), &drop, 1, 0), 1);
      if (!cgroup_->populated()) break;
      ASSERT_TRUE(testing_proc::wait_for(events->get(), POLLPRI));
    }
  }
  std::optional<Cgroup> cgroup_;
};

TEST_F(CgroupTest, IsEmptyAtFirst) {
  EXPECT_FALSE(cgroup_->populated());
  EXPECT_TRUE(cgroup_->pids().empty());
  EXPECT_EQ(delegated_cgroup(cgroup_->path().c_str()), cgroup_->path());
  const std::size_t slash = cgroup_->path().rfind('/');
  const auto again = Cgroup::create(cgroup_->path().substr(0, slash), cgroup_->path().substr(slash + 1));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), EEXIST);
}

TEST_F(CgroupTest, KillEndsEverythingInItAndBelow) {
  const auto below = Cgroup::create(cgroup_->path(), "below");
  ASSERT_TRUE(below);
  Child first([] { return testing_proc::sleep_forever(); });
  Child second([] { return testing_proc::sleep_forever(); });
  const Child outside([] { return testing_proc::sleep_forever(); });
  ASSERT_TRUE(cgroup_->add(first.pid()));
  ASSERT_TRUE(below->add(second.pid()));
  std::vector<pid_t> both{first.pid(), second.pid()};
  std::ranges::sort(both);
  EXPECT_EQ(cgroup_->pids(), both);
  EXPECT_EQ(below->pids(), std::vector<pid_t>{second.pid()});
  EXPECT_TRUE(cgroup_->populated());
  const Status busy = cgroup_->remove();
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code(), EBUSY);

  const auto same = Cgroup::open(cgroup_->path());
  ASSERT_TRUE(same);
  ASSERT_TRUE(same->kill());
  await_empty();
  for (Child* child : {&first, &second}) {
    const int status = child->reap();
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
  EXPECT_FALSE(is_dead(testing_proc::stat_of(outside.pid())));
  EXPECT_TRUE(cgroup_->remove());
  EXPECT_FALSE(cgroup_->populated());
  EXPECT_TRUE(cgroup_->remove()) << "what is gone already is fine";
  cgroup_.reset();
}

TEST_F(CgroupTest, EventsTellWhenTheLastHasGone) {
  const auto events = cgroup_->events_fd();
  ASSERT_TRUE(events);
  Child child([] { return testing_proc::sleep_forever(); });
  ASSERT_TRUE(cgroup_->add(child.pid()));
  char drop = 0;
  ASSERT_EQ(::pread(events->get(), &drop, 1, 0), 1);
  ASSERT_TRUE(cgroup_->populated());
  ::kill(child.pid(), SIGKILL);
  EXPECT_TRUE(testing_proc::wait_for(events->get(), POLLPRI));
  // Several changes may share one notice.
  await_empty();
  EXPECT_FALSE(cgroup_->populated()) << "though nobody has reaped it";
}

// Runs in a process of its own inside the cgroup: 0 when it takes its cgroup for delegated to it.
int sees_delegation(const std::string& path) {
  return delegated_cgroup(nullptr) == path ? 0 : 1;
}

TEST_F(CgroupTest, OurOwnCgroupIsTakenOnlyWhenDelegated) {
  const std::string path = cgroup_->path();
  const auto answer_of = [&](bool marked, uid_t user) {
    const auto [waiting, go] = testing_proc::make_pipe();
    const int wait = waiting.get();
    Child child([&] {
      if (testing_proc::hear(wait) != 1) return 2;
      if (marked && ::setxattr(path.c_str(), "trusted.delegate", "1", 1, 0) != 0) return 3;
      if (user != 0 && ::setresuid(user, user, user) != 0) return 4;
      return sees_delegation(path);
    });
    EXPECT_TRUE(cgroup_->add(child.pid()));
    testing_proc::tell(go.get(), 1);
    return WEXITSTATUS(child.reap());
  };
  if (::geteuid() != 0) GTEST_SKIP() << "needs two users";
  constexpr uid_t somebody = 65534;
  EXPECT_EQ(answer_of(false, 0), 1) << "root's own";
  EXPECT_EQ(answer_of(false, somebody), 1) << "another user's";
  EXPECT_EQ(answer_of(true, 0), 0) << "marked";
  EXPECT_EQ(answer_of(true, somebody), 1) << "marked, but may not be written to";
  ASSERT_EQ(::removexattr(path.c_str(), "trusted.delegate"), 0);
  ASSERT_EQ(::chown(path.c_str(), somebody, somebody), 0);
  EXPECT_EQ(answer_of(false, somebody), 1) << "cgroup.procs is not theirs";
  ASSERT_EQ(::chown((path + "/cgroup.procs").c_str(), somebody, somebody), 0);
  EXPECT_EQ(answer_of(false, somebody), 0) << "given to them";
}

TEST_F(CgroupTest, ADaemonCannotLeave) {
  const testing_proc::Subreaper reaper;
  const auto [heard, told] = testing_proc::make_pipe();
  const auto [waiting, go] = testing_proc::make_pipe();
  const int say = told.get();
  const int wait = waiting.get();
  Child main([say, wait] {
    (void)testing_proc::hear(wait);
    if (::fork() != 0) return 0;
    ::setsid();
    testing_proc::tell(say, ::getpid());
    return testing_proc::sleep_forever();
  });
  ASSERT_TRUE(cgroup_->add(main.pid()));
  testing_proc::tell(go.get(), 1);
  main.reap();
  const testing_proc::Adopted daemon(testing_proc::hear(heard.get()));
  EXPECT_EQ(cgroup_->pids(), std::vector<pid_t>{daemon.pid()});
  EXPECT_TRUE(cgroup_->kill());
  await_empty();
  EXPECT_TRUE(cgroup_->pids().empty());
}

TEST(Cgroup, WhereThereIsNone) {
  EXPECT_FALSE(Cgroup::create("/nowhere", "x"));
  EXPECT_FALSE(Cgroup::open("/tmp"));
}

}  // namespace
}  // namespace usvc
