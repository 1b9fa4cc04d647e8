#include <string>
#include <vector>

#include "proc/host.h"
#include "unit/proc_testing.h"

namespace usvc {
namespace {

TEST(Host, Load) {
  const auto load = parse_load("0.42 0.31 12.50 3/402 31337\n");
  ASSERT_TRUE(load);
  EXPECT_DOUBLE_EQ(load->one, 0.42);
  EXPECT_DOUBLE_EQ(load->five, 0.31);
  EXPECT_DOUBLE_EQ(load->fifteen, 12.5);
  EXPECT_EQ(load->running, 3U);
  EXPECT_EQ(load->total, 402U);
  for (const char* text :
       {"", "\n", "0.42", "0.42 0.31 0.30", "0.42 0.31 0.30 1", "a b c 1/2 3", "0.1 0.2 0.3 1/x 3"}) {
    EXPECT_FALSE(parse_load(text)) << text;
  }
}

TEST(Host, Memory) {
  const auto memory = parse_memory(
      "MemTotal:        1000 kB\nMemFree:          10 kB\nMemAvailable:    750 kB\nSwapCached: 1 kB\n"
      "SwapTotal:       400 kB\nSwapFree:        300 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_DOUBLE_EQ(memory->used_percent, 25.0);
  ASSERT_TRUE(memory->swap_percent);
  EXPECT_DOUBLE_EQ(*memory->swap_percent, 25.0);

  const auto no_swap = parse_memory("MemTotal: 4 kB\nMemAvailable: 5 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
  ASSERT_TRUE(no_swap);
  EXPECT_DOUBLE_EQ(no_swap->used_percent, 0.0);
  EXPECT_FALSE(no_swap->swap_percent);

  for (const char* text : {"", "MemTotal: 10 kB\n", "MemAvailable: 10 kB\n", "MemTotal: x\nMemAvailable: 1 kB\n",
                           "MemTotal: 0 kB\nMemAvailable: 0 kB\n", "MemTotalX: 9 kB\nMemAvailable: 1 kB\n"}) {
    EXPECT_FALSE(parse_memory(text)) << text;
  }
}

TEST(Host, FileNumbers) {
  EXPECT_EQ(parse_file_nr("3168\t0\t9223372036854775807\n"), 3168U);
  EXPECT_EQ(parse_file_nr(""), std::nullopt);
  EXPECT_EQ(parse_file_nr("none"), std::nullopt);
}

TEST(Mounts, LinesAreParsedAndEscapesUndone) {
  const auto mounts = parse_mounts(
      "36 35 98:0 /sub /mnt/my\\040disk rw,noatime master:1 shared:2 - ext3 /dev/s\\134da rw\n"
      "37 35 0:5 / /x rw - tmpfs none rw\n"
      "garbage\n38 x 0:1 / /y rw - tmpfs t rw\n39 35 0:1 / y rw - tmpfs t rw\n40 35 0:1 / /z rw\n\n"
      "41 35 0:1 / /a\\0 rw - tmpfs t\\777 rw");
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_EQ(mounts[0].id, 36);
  EXPECT_EQ(mounts[0].parent, 35);
  EXPECT_EQ(mounts[0].device, "98:0");
  EXPECT_EQ(mounts[0].root, "/sub");
  EXPECT_EQ(mounts[0].point, "/mnt/my disk");
  EXPECT_EQ(mounts[0].type, "ext3");
  EXPECT_EQ(mounts[0].source, "/dev/s\\da");
  EXPECT_EQ(mounts[1].type, "tmpfs");
  EXPECT_EQ(mounts[2].point, "/a\\0");
}

const char* const root = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n";

struct DisksCase {
  const char* what;
  std::string table;
  std::vector<std::string> shown;
};

TEST(Mounts, DisksWorthShowing) {
  const std::vector<DisksCase> cases{
      {"the usual",
       std::string(root) + "2 1 8:2 / /data rw - xfs /dev/sdb1 rw\n3 1 0:5 / /tmp rw - tmpfs tmpfs rw\n",
       {"/", "/data"}},
      {"bind mounts show a device again",
       "2 1 8:1 /etc/h /etc/hosts rw - ext4 /dev/sda1 rw\n" + std::string(root),
       {"/"}},
      {"btrfs subvolumes have numbers of their own",
       "1 0 0:40 /@ / rw - btrfs /dev/sda1 rw\n2 1 0:41 /@home /home rw - btrfs /dev/sda1 rw\n",
       {"/"}},
      {"two names of one device", std::string(root) + "2 1 8:1 / /again rw - ext4 /dev/root rw\n", {"/"}},
      {"images are no disks",
       std::string(root) + "2 1 7:1 / /snap/x ro - squashfs /dev/loop1 ro\n3 1 7:2 / /img rw - ext4 /dev/loop2 rw\n"
                           "4 1 0:9 / /o rw - overlay /dev/x rw\n",
       {"/"}},
      {"network and FUSE are no disks",
       std::string(root) + "2 1 0:50 / /n rw - nfs4 box:/x rw\n3 1 0:51 / /f rw - fuse /dev/fuse rw\n"
                           "4 1 8:3 / /win rw - fuseblk /dev/sda3 rw\n",
       {"/", "/win"}},
      {"a disk under a network mount is not asked",
       std::string(root) + "2 1 0:50 / /n rw - nfs4 box:/x rw\n3 2 8:2 / /n/d rw - ext4 /dev/sdb1 rw\n",
       {"/"}},
      {"nor one that a network mount hides",
       std::string(root) + "2 1 8:2 / /mnt/d rw - ext4 /dev/sdb1 rw\n3 1 0:50 / /mnt rw - nfs box:/x rw\n",
       {"/"}},
      {"nor one that is mounted over",
       std::string(root) + "2 1 8:2 / /d rw - ext4 /dev/sdb1 rw\n3 2 0:50 / /d rw - cifs //box/x rw\n",
       {"/"}},
      {"a neighbour with a longer name hides nothing",
       std::string(root) + "2 1 8:2 / /data rw - ext4 /dev/sdb1 rw\n3 1 0:50 / /dat rw - nfs box:/x rw\n",
       {"/", "/data"}},
      {"the upper of two disks at one place is the one seen",
       std::string(root) + "2 1 8:2 / /d rw - ext4 /dev/sdb1 rw\n3 2 8:3 / /d rw - ext4 /dev/sdc1 rw\n",
       {"/", "/d"}},
      {"a table in a circle ends",
       "1 2 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /d rw - ext4 /dev/sdb1 rw\n",
       {"/", "/d"}},
  };
  for (const DisksCase& test : cases) EXPECT_EQ(disk_mounts(parse_mounts(test.table)), test.shown) << test.what;
}

TEST(Mounts, AtMostEightDisks) {
  std::string table = root;
  for (int disk = 10; disk < 30; ++disk) {
    const std::string number = std::to_string(disk);
    table += number + " 1 8:" + number + " / /d" + number + " rw - ext4 /dev/sdb" + number + " rw\n";
  }
  const auto shown = disk_mounts(parse_mounts(table));
  ASSERT_EQ(shown.size(), 8U);
  EXPECT_EQ(shown.front(), "/");
  EXPECT_EQ(shown.back(), "/d16");
}

TEST(Host, OfThisMachine) {
  const Host host = read_host();
  EXPECT_FALSE(host.name.empty());
  EXPECT_GE(host.cores, 1U);
  EXPECT_GT(host.load.total, 0U);
  EXPECT_GT(host.mem_percent, 0.0);
  EXPECT_LE(host.mem_percent, 100.0);
  EXPECT_GT(host.fds, 0U);
  for (const Disk& disk : host.disks) {
    EXPECT_EQ(disk.mount[0], '/');
    EXPECT_GE(disk.percent, 0.0);
    EXPECT_LE(disk.percent, 100.0);
  }
}

}  // namespace
}  // namespace usvc
