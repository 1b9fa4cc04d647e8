#include <gtest/gtest.h>

#include "proc/oom.h"

namespace usvc {
namespace {

TEST(Oom, TheCountIsReadFromEitherFile) {
  EXPECT_EQ(oom_kill_count("nr_free_pages 1\noom_kill 7\nnuma_hit 2\n"), 7U);
  EXPECT_EQ(oom_kill_count("low 0\noom 3\noom_kill 2\noom_group_kill 0\n"), 2U);
  EXPECT_EQ(oom_kill_count("oom_kill_x 2\n"), std::nullopt);
  EXPECT_EQ(oom_kill_count("oom_kill -1\noom_kill x\n"), std::nullopt);
  EXPECT_EQ(oom_kill_count(""), std::nullopt);
}

TEST(Oom, ThisKernelCounts) {
  EXPECT_TRUE(oom_kills());
  EXPECT_FALSE(oom_kills_in("/nowhere"));
}

}  // namespace
}  // namespace usvc
