#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "job/run_id.h"

namespace usvc {
namespace {

TEST(RunIds, AreReadBack) {
  const std::vector<RunId> table = {
      {"web-1", 1, 0x0123abcd},
      {"a.b.c", 17, 0xdeadbeef},
      {"a.1.deadbeef", 2, 0},
      {std::string(64, 'x'), std::numeric_limits<std::uint64_t>::max(), 0xffffffff},
  };
  for (const RunId& id : table) {
    const std::string text = make_run_id(id.name, id.number, id.nonce);
    const auto back = parse_run_id(text);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(*back, id) << text;
  }
  EXPECT_EQ(make_run_id("web-1", 17, 0x0123abcd), "web-1.17.0123abcd");
}

TEST(RunIds, NonsenseIsWrongUsage) {
  for (const char* text : {"",
                           ".",
                           "..",
                           "web",
                           "web.1",
                           "web.1.",
                           "web.1.0123abc",
                           "web.1.0123abcde",
                           "web.1.0123ABCD",
                           "web.1.0123abcg",
                           "web.0.0123abcd",
                           "web.01.0123abcd",
                           "web.-1.0123abcd",
                           "web..0123abcd",
                           "web.x.0123abcd",
                           "web.1x.0123abcd",
                           ".1.0123abcd",
                           "../x.1.0123abcd",
                           "all.1.0123abcd",
                           "web.18446744073709551616.0123abcd",
                           "1.0123abcd",
                           "web.1.0123abcd "}) {
    const auto id = parse_run_id(text);
    ASSERT_FALSE(id) << text;
    EXPECT_EQ(id.error().kind(), ErrorKind::usage) << text;
  }
}

}  // namespace
}  // namespace usvc
