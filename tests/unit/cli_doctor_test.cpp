// What `usvc doctor` makes of figures.
#include <gtest/gtest.h>

#include "cli/doctor/judge.h"

namespace usvc::doctor {

namespace {

constexpr std::uint64_t mebi = 1U << 20U;

Space roomy() {
  return {.path = "/home/u",
          .total = 100'000 * mebi,
          .free = 50'000 * mebi,
          .inodes = 1'000'000,
          .free_inodes = 900'000,
          .read_only = false,
          .network = ""};
}

std::string severity_of(const Space& space) {
  return judge_space(space, "/logs", "/usvc.conf").severity;
}

TEST(DoctorJudge, TerminalsRunOutBeforeTheLastIsTaken) {
  EXPECT_EQ(judge_terminals({.used = 10, .most = 4096}).severity, "well");
  EXPECT_EQ(judge_terminals({.used = 3583, .most = 4096}).severity, "well");
  const auto finding = judge_terminals({.used = 3584, .most = 4096});
  EXPECT_EQ(finding.severity, "trouble");
  EXPECT_EQ(finding.mend, "sudo sysctl kernel.pty.max=8192");
  // A container is refused the last 1024 of them, and whether this is one is not known.
  EXPECT_EQ(judge_terminals({.used = 2688, .most = 4096, .reserved = 1024}).severity, "well");
  EXPECT_EQ(judge_terminals({.used = 10, .most = 64, .reserved = 1024}).severity, "well");
  EXPECT_EQ(judge_terminals({.used = 64, .most = 64, .of_mount = true}).mend,
            "sudo mount -o remount,max=4096 /dev/pts");
}

TEST(DoctorJudge, DescriptorsNameTheProcessToMend) {
  EXPECT_EQ(judge_descriptors("keeper", 42, 100, {.soft = 1024, .hard = 1024}).severity, "well");
  const auto finding = judge_descriptors("manager", 42, 1000, {.soft = 1024, .hard = 1024});
  EXPECT_EQ(finding.severity, "trouble");
  EXPECT_EQ(finding.mend, "sudo prlimit --pid 42 --nofile=65536:65536");
  // The hard limit is one's own to go up to.
  EXPECT_EQ(judge_descriptors("manager", 42, 1000, {.soft = 1024, .hard = 20000}).mend,
            "prlimit --pid 42 --nofile=20000:");
  EXPECT_EQ(judge_descriptors("manager", 42, 1000, {.soft = 1024, .hard = ~0ULL}).mend,
            "prlimit --pid 42 --nofile=65536:");
  EXPECT_EQ(judge_descriptors("manager", 42, 1000, {.soft = ~0ULL, .hard = ~0ULL}).what,
            "manager: 1000 of any number open files");
}

TEST(DoctorJudge, SpaceIsTroubleWhenOutputWouldWait) {
  EXPECT_EQ(severity_of(roomy()), "well");
  Space space = roomy();
  space.free = 63 * mebi;
  EXPECT_EQ(severity_of(space), "trouble");
  space.free = 900 * mebi;
  EXPECT_EQ(severity_of(space), "hint");
  // As much on a small disk is a good part of it.
  space.total = 2000 * mebi;
  EXPECT_EQ(severity_of(space), "well");
  // A small one that is next to empty is no trouble yet, and a full one is.
  space.total = 4 * mebi;
  space.free = 4 * mebi - 4096;
  EXPECT_EQ(severity_of(space), "hint");
  EXPECT_NE(judge_space(space, "/logs", "/usvc.conf").what.find("of 4M in all"), std::string::npos);
  space.free = mebi / 5;
  EXPECT_EQ(severity_of(space), "trouble");
  space.total = 100 * mebi;
  space.free = 50 * mebi;
  EXPECT_EQ(severity_of(space), "hint");
  space = roomy();
  space.free_inodes = 0;
  EXPECT_EQ(severity_of(space), "trouble");
  space.inodes = 0;  // a filesystem that does not count them
  EXPECT_EQ(severity_of(space), "well");
  space.read_only = true;
  EXPECT_EQ(severity_of(space), "trouble");
  space = roomy();
  space.network = "NFS";
  EXPECT_EQ(severity_of(space), "hint");
}

TEST(DoctorJudge, ModesOpenToOthersAreNamedWithTheirCommand) {
  EXPECT_FALSE(judge_mode({.path = "/h/jobs", .owner = 7, .mode = 040700, .directory = true}, 7));
  EXPECT_FALSE(judge_mode({.path = "/h/a.env", .owner = 7, .mode = 0100600, .directory = false}, 7));
  const auto read = judge_mode({.path = "/h/a b.env", .owner = 7, .mode = 0100640, .directory = false}, 7);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->mend, "chmod 600 '/h/a b.env'");
  const auto changed = judge_mode({.path = "/h", .owner = 7, .mode = 040720, .directory = true}, 7);
  ASSERT_TRUE(changed);
  EXPECT_NE(changed->what.find("changed"), std::string::npos) << changed->what;
  const auto foreign = judge_mode({.path = "/h", .owner = 0, .mode = 040700, .directory = true}, 7);
  ASSERT_TRUE(foreign);
  EXPECT_EQ(foreign->mend, "sudo chown 7 /h");
}

TEST(DoctorJudge, SomebodyElsesDirectoryIsNotToBeTakenAway) {
  const auto finding = judge_mode({.path = "/tmp", .owner = 0, .mode = 041777, .directory = true, .home = true}, 7);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->mend, "use a directory of your own: usvc --home DIR");
}

TEST(DoctorJudge, DirectoriesTheirOwnerCanNotUse) {
  const Owned closed{.path = "/h/logs", .owner = 7, .mode = 040500, .directory = true};
  const auto finding = judge_mode(closed, 7);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->mend, "chmod 700 /h/logs");
  EXPECT_FALSE(judge_mode({.path = "/h/logs", .owner = 0, .mode = 040500, .directory = true}, 0)) << "root can";
}

TEST(DoctorJudge, SettingsMayBeReadAndNotBeChanged) {
  EXPECT_FALSE(judge_mode({.path = "/c/usvc.conf", .owner = 7, .mode = 0100644, .secret = false}, 7));
  EXPECT_FALSE(judge_mode({.path = "/c/usvc.conf", .owner = 0, .mode = 0100644, .secret = false}, 7)) << "root's";
  const auto finding = judge_mode({.path = "/c", .owner = 7, .mode = 040775, .directory = true, .secret = false}, 7);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->mend, "chmod go-w /c");
}

}  // namespace

}  // namespace usvc::doctor
