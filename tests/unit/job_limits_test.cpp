#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>
#include <vector>

#include "job/limits.h"

namespace usvc {
namespace {

TEST(Limits, EveryResourceHasANameThatIsReadBack) {
  const std::vector<int> resources = all_limits();
  ASSERT_EQ(resources.size(), static_cast<std::size_t>(RLIM_NLIMITS));
  for (int resource = 0; resource < static_cast<int>(resources.size()); ++resource) {
    EXPECT_EQ(resources.at(static_cast<std::size_t>(resource)), resource);
    for (const Limit& limit : {Limit{resource, 0, 0}, Limit{resource, 1024, 4096}, Limit{resource, 5, RLIM_INFINITY},
                               Limit{resource, RLIM_INFINITY, RLIM_INFINITY}}) {
      const auto back = parse_limit(format_limit(limit));
      ASSERT_TRUE(back) << format_limit(limit);
      EXPECT_EQ(*back, limit) << format_limit(limit);
    }
  }
}

TEST(Limits, AreWrittenAsTheShellNamesThem) {
  EXPECT_EQ(format_limit({RLIMIT_NOFILE, 1024, 4096}), "nofile 1024 4096");
  EXPECT_EQ(format_limit({RLIMIT_CORE, 0, RLIM_INFINITY}), "core 0 unlimited");
  EXPECT_EQ(limit_name(99), "99");
}

TEST(Limits, OneValueIsBoth) {
  EXPECT_EQ(parse_limit("core unlimited").value(), (Limit{RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY}));
  EXPECT_EQ(parse_limit("  nofile   64 ").value(), (Limit{RLIMIT_NOFILE, 64, 64}));
}

TEST(Limits, RefuseNonsense) {
  for (const char* text :
       {"", "nofile", "nofile 1 2 3", "nofile x", "nofile 1 x", "nofile -1", "nofile 10 5", "nofile unlimited 5",
        "NOFILE 1", "files 1", "nofile 18446744073709551616", "nofile 18446744073709551615", "nofile 1k"}) {
    const auto limit = parse_limit(text);
    ASSERT_FALSE(limit) << text;
    EXPECT_EQ(limit.error().kind(), ErrorKind::usage) << text;
    EXPECT_FALSE(limit.error().hint().empty()) << text;
  }
  EXPECT_EQ(parse_limit("nofile 10 5").error().message(),
            "'nofile 10 5' is not a limit: the soft limit is above the hard one "
            "(NAME SOFT HARD, each a number or unlimited, like nofile 1024 4096)");
}

}  // namespace
}  // namespace usvc
