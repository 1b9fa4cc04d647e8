#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>

#include "proc/limits.h"

namespace usvc {

namespace {

TEST(ProcLimits, ReadsTheRowOfOpenFiles) {
  const auto limit = parse_descriptor_limit(
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max processes             96113                96113                processes \n"
      "Max open files            1024                 unlimited            files     \n");
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->soft, 1024U);
  EXPECT_EQ(limit->hard, std::numeric_limits<std::uint64_t>::max());
  EXPECT_FALSE(parse_descriptor_limit("Max open files\n"));
  EXPECT_FALSE(parse_descriptor_limit(""));
}

TEST(ProcLimits, CountsItsOwnDescriptors) {
  const auto limit = read_descriptor_limit(::getpid());
  const auto open = open_descriptors(::getpid());
  ASSERT_TRUE(limit && open);
  EXPECT_GE(*open, 3U);
  EXPECT_LE(*open, limit->soft);
}

TEST(ProcLimits, OnlyCodeOfALibraryThatIsGoneCounts) {
  EXPECT_TRUE(maps_replaced_library("7f0-7f1 r-xp 00000000 fe:00 1 /usr/lib/libssl.so.3 (deleted)\n"));
  EXPECT_FALSE(maps_replaced_library("7f0-7f1 r-xp 00000000 fe:00 1 /usr/lib/libssl.so.3\n"));
  EXPECT_FALSE(maps_replaced_library("7f0-7f1 r--p 00000000 fe:00 1 /usr/lib/libssl.so.3 (deleted)\n"));
  EXPECT_FALSE(maps_replaced_library("7f0-7f1 rw-s 00000000 00:01 1 /memfd:x (deleted)\n"));
  EXPECT_FALSE(has_replaced_library(::getpid()));
}

}  // namespace

}  // namespace usvc
