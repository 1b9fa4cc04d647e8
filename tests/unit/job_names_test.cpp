#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "job/names.h"

namespace usvc {
namespace {

TEST(Names, GoodOnesPass) {
  for (const std::string& name : {std::string("web"), std::string("web-1"), std::string("a.b_c-D9"), std::string("9"),
                                  std::string("_"), std::string("web."), std::string("a..b"), std::string("usvc1"),
                                  std::string("All"), std::string("x-"), std::string(64, 'x')}) {
    EXPECT_TRUE(check_job_name(name)) << name;
    EXPECT_TRUE(check_group_name(name)) << name;
  }
}

TEST(Names, BadOnesAreWrongUsage) {
  for (const std::string& name :
       {std::string(), std::string("-web"), std::string(".web"), std::string(".."), std::string("a/b"),
        std::string("a b"), std::string("a\nb"), std::string("a*"), std::string("a:b"), std::string("~"),
        std::string("a\0b", 3), std::string(65, 'x'), std::string("usvc"), std::string("group"), std::string("all"),
        std::string("live"), std::string("dead"), std::string("w\xc3\xa4")}) {
    for (const Status& status : {check_job_name(name), check_group_name(name)}) {
      ASSERT_FALSE(status) << name;
      EXPECT_EQ(status.error().kind(), ErrorKind::usage) << name;
      EXPECT_EQ(status.error().message().find('\n'), std::string::npos) << name;
    }
  }
}

TEST(Names, EveryOtherByteIsRefused) {
  const std::string good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  for (int byte = 0; byte < 256; ++byte) {
    const std::string name = std::string("a") + static_cast<char>(byte);
    EXPECT_EQ(check_job_name(name).has_value(), good.find(name[1]) != std::string::npos) << byte;
  }
}

TEST(Names, ErrorsSayWhy) {
  const std::string allowed = " (letters, digits, '.', '-' and '_', at most 64, not beginning with '-' or '.')";
  const auto message = [](const char* name) { return check_job_name(name).error().message(); };
  EXPECT_EQ(message("../x"), "'../x' is no job name: it begins with '.'" + allowed);
  EXPECT_EQ(message("a/x"), "'a/x' is no job name: it has a '/' in it" + allowed);
  EXPECT_EQ(message("a\xe2\x82\xac"
                    "b"),
            "'a\xe2\x82\xac"
            "b' is no job name: it has a '\xe2\x82\xac' in it" +
                allowed);
  EXPECT_EQ(message(""), "'' is no job name: it is empty" + allowed);
  EXPECT_EQ(message("all"), "'all' is no job name: the word is reserved (choose another)");
  EXPECT_EQ(check_group_name("usvc").error().message(),
            "'usvc' is no group name: the word is reserved (choose another)");
}

TEST(GroupFromCommand, IsTheBaseNameMadeToFit) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"sleep", "sleep"},
      {"/usr/bin/python3", "python3"},
      {"./worker.py", "worker.py"},
      {"/opt/my app/run it!", "run-it-"},
      {".hidden", "hidden"},
      {"-bash", "bash"},
      {"..", "job"},
      {"", "job"},
      {"/", "job"},
      {"bin/", "bin"},
      {"\xe6\x97\xa5\xe6\x9c\xac", "job"},
      {"--.--x", "x"},
      {"usvc", "usvc-job"},
      {"/bin/all", "all-job"},
      {"/bin/.live", "live-job"},
      {std::string(100, 'n'), std::string(56, 'n')},
  };
  for (const auto& [command, expected] : table) EXPECT_EQ(group_from_command(command), expected) << command;
}

TEST(GroupFromCommand, AlwaysMakesGoodNames) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::string& command :
         {std::string(1, static_cast<char>(byte)), std::string(80, static_cast<char>(byte)),
          std::string("a") + static_cast<char>(byte)}) {
      const std::string group = group_from_command(command);
      EXPECT_TRUE(check_group_name(group)) << group;
      EXPECT_TRUE(check_job_name(member_name(group, 1'000'000))) << group;
    }
  }
}

TEST(LowestFree, FillsGaps) {
  EXPECT_EQ(member_name("web", 12), "web-12");
  EXPECT_EQ(lowest_free("web", {}), 1);
  EXPECT_EQ(lowest_free("web", {"web-1", "web-2", "web-4", "webx-3", "other-1"}), 3);
  EXPECT_EQ(lowest_free("web", {"web-2"}), 1);
  EXPECT_EQ(lowest_free("web", {"web-01", "web"}), 1);
}

}  // namespace
}  // namespace usvc
