#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "job/conf.h"
#include "job/options.h"

namespace usvc {
namespace {

const Option& option(std::string_view key) {
  const Option* found = find_option(key);
  EXPECT_NE(found, nullptr) << key;
  return *found;
}

TEST(OptionTable, HasEveryKeyOfTheContractOnce) {
  std::multiset<std::string_view> keys;
  for (const Option& row : option_table()) keys.insert(row.key);
  EXPECT_EQ(keys, (std::multiset<std::string_view>{
                      "cmd",          "arg",          "name",   "group", "cwd",     "log",      "keepalive",
                      "restart",      "tty",          "split",  "alert", "pre-cmd", "post-cmd", "runaway-protect",
                      "stop-signal",  "stop-timeout", "settle", "tree",  "umask",   "nice",     "limit",
                      "log-max-size", "log-keep"}));
}

TEST(OptionTable, EveryRowIsComplete) {
  std::set<std::string_view> flags;
  for (const Option& row : option_table()) {
    EXPECT_EQ(find_option(row.key), &row);
    EXPECT_FALSE(row.help.empty()) << row.key;
    EXPECT_EQ(row.help.find('\n'), std::string_view::npos) << row.key;
    EXPECT_EQ(row.type == OptionType::choice, !row.choices.empty()) << row.key;
    EXPECT_EQ(row.value_name.empty(), row.type == OptionType::boolean) << row.key;
    EXPECT_EQ(row.flag_value.empty(), row.type != OptionType::boolean) << "a boolean is set by its flag " << row.key;
    for (const std::string_view flag : {row.flag, row.short_flag}) {
      if (!flag.empty()) {
        EXPECT_TRUE(flags.insert(flag).second) << flag << " is there twice";
      }
    }
    EXPECT_TRUE(row.flag.empty() || row.flag.starts_with("--")) << row.key;
    EXPECT_TRUE(row.short_flag.empty() || (row.short_flag.size() == 2 && row.short_flag[0] == '-')) << row.key;
    if (!row.default_text.empty()) {
      EXPECT_TRUE(check_value(row, row.default_text)) << row.key;
    }
    if (!row.flag_value.empty()) {
      EXPECT_TRUE(check_value(row, row.flag_value)) << row.key;
    }
  }
  for (const char* flag : {"--name", "-g", "--group", "-1", "--once", "--restart", "-a", "--alert", "--no-tty", "--cwd",
                           "--pre", "--post", "--stop-signal", "--stop-timeout", "--no-runaway-protect", "--settle"}) {
    EXPECT_TRUE(flags.contains(flag)) << flag;
  }
}

// The defaults stand in the table for people and in Conf for the program.
TEST(OptionTable, DefaultsAreThoseOfConf) {
  std::vector<ConfEntry> entries;
  for (const Option& row : option_table()) {
    if (row.default_text.empty()) continue;
    ConfEntry entry;
    entry.key = row.key;
    entry.value = row.default_text;
    entries.push_back(entry);
  }
  ConfEntry cmd;
  cmd.key = "cmd";
  cmd.value = "x";
  entries.push_back(cmd);
  Conf expected;
  expected.cmd = "x";
  const auto conf = conf_from_entries(entries);
  ASSERT_TRUE(conf) << conf.error().message();
  EXPECT_EQ(*conf, expected);
}

TEST(FindOption, SuggestsTheNearest) {
  EXPECT_EQ(find_option("stoptimeout"), nullptr);
  EXPECT_EQ(find_option(""), nullptr);
  EXPECT_EQ(nearest_option("stoptimeout"), "stop-timeout");
  EXPECT_EQ(nearest_option("args"), "arg");
  EXPECT_EQ(nearest_option("banana"), "");
}

TEST(CheckValue, TakesGoodOnes) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> table = {
      {"cmd", {"/bin/x", "x", " ", "\xff"}},
      {"arg", {"", "-x", "a\nb", "\xff"}},
      {"name", {"web-1"}},
      {"group", {"web"}},
      {"cwd", {"/", "/a b"}},
      {"log", {"/dev/null"}},
      {"keepalive", {"true", "FALSE", "Yes", "no", "on", "off", "1", "0", "-1", "2", ""}},
      {"restart", {"always", "on-failure", "never"}},
      {"alert", {"me@example.org"}},
      {"pre-cmd", {"", "echo hi"}},
      {"stop-signal", {"TERM", "sigint", "9", "RTMIN+1"}},
      {"stop-timeout", {"0", "10s", "1d", "0.5"}},
      {"settle", {"0s", "1h"}},
      {"tree", {"auto", "cgroup", "proc", "subreaper"}},
      {"umask", {"0", "022", "0777", "77"}},
      {"nice", {"-20", "0", "19"}},
      {"limit", {"nofile 1 2"}},
      {"log-max-size", {"1", "64M", "4G"}},
      {"log-keep", {"0", "10000"}},
  };
  for (const auto& [key, texts] : table) {
    for (const std::string& text : texts) EXPECT_TRUE(check_value(option(key), text)) << key << " " << text;
  }
}

TEST(CheckValue, RefusesBadOnesAndSaysWhatIsAllowed) {
  struct Row {
    std::string key;
    std::string text;
    std::string message;
  };
  const std::string name_rule = "(letters, digits, '.', '-' and '_', at most 64, not beginning with '-' or '.')";
  const std::vector<Row> table = {
      {"cmd", "", "it is empty (give a value, or leave the line out)"},
      {"arg", std::string("a\0b", 3), "it has a NUL byte in it (any other bytes)"},
      {"alert", "", "it is empty (give a value, or leave the line out)"},
      {"name", "a b", "'a b' is no job name: it has a ' ' in it " + name_rule},
      {"group", "-x", "'-x' is no group name: it begins with '-' " + name_rule},
      {"cwd", "sub", "'sub' is not an absolute path (a path that begins with /)"},
      {"log", "", "'' is not an absolute path (a path that begins with /)"},
      {"tty", "maybe", "'maybe' is neither true nor false (true or false)"},
      {"tty", " true", "' true' is neither true nor false (true or false)"},
      {"restart", "sometimes", "'sometimes' is not known here (always, on-failure or never)"},
      {"restart", "", "'' is not known here (always, on-failure or never)"},
      {"tree", "auto|cgroup", "'auto|cgroup' is not known here (auto, cgroup, proc or subreaper)"},
      {"stop-signal", "TREM", "no signal is called 'TREM' (did you mean 'TERM'?)"},
      {"stop-timeout", "25h", "'25h' is out of range (0s to 1d)"},
      {"stop-timeout", "-1", "'-1' is not a length of time (like 90s, 10m, 1h30m, 300ms, or plain seconds)"},
      {"settle", "61m", "'61m' is out of range (0s to 1h)"},
      {"umask", "1000", "'1000' is not a umask (an octal number from 0 to 0777)"},
      {"umask", "8", "'8' is not a umask (an octal number from 0 to 0777)"},
      {"umask", "-1", "'-1' is not a umask (an octal number from 0 to 0777)"},
      {"umask", "", "'' is not a umask (an octal number from 0 to 0777)"},
      {"nice", "20", "'20' is out of range (-20 to 19)"},
      {"nice", "-21", "'-21' is out of range (-20 to 19)"},
      {"nice", "low", "'low' is not a number (-20 to 19)"},
      {"limit", "nofile",
       "'nofile' is not a limit: it takes a name and one or two values "
       "(NAME SOFT HARD, each a number or unlimited, like nofile 1024 4096)"},
      {"log-max-size", "0", "'0' is out of range (1 to 9223372036854775807)"},
      {"log-max-size", "15E", "'15E' is out of range (1 to 9223372036854775807)"},
      {"log-max-size", "big", "'big' is not a size (a whole number of bytes, or with K, M, G or T, like 64M)"},
      {"log-keep", "-1", "'-1' is out of range (0 to 10000)"},
      {"log-keep", "10001", "'10001' is out of range (0 to 10000)"},
  };
  for (const auto& [key, text, message] : table) {
    const auto checked = check_value(option(key), text);
    ASSERT_FALSE(checked) << key << " " << text;
    EXPECT_EQ(checked.error().message(), message);
    EXPECT_EQ(checked.error().kind(), ErrorKind::usage) << key;
  }
}

TEST(ParseBoolean, IsGits) {
  for (const char* text : {"true", "True", "yes", "YES", "on", "1", "2", "-1"})
    EXPECT_EQ(parse_boolean(text), true) << text;
  for (const char* text : {"false", "no", "off", "OFF", "0", "00", ""}) EXPECT_EQ(parse_boolean(text), false) << text;
  for (const char* text : {"y", "n", "truee", "1.0", " "}) EXPECT_EQ(parse_boolean(text), std::nullopt) << text;
}

TEST(ChoiceIndex, IsThePlaceInTheList) {
  EXPECT_EQ(choice_index("a|b|c", "a"), 0U);
  EXPECT_EQ(choice_index("a|b|c", "c"), 2U);
  EXPECT_EQ(choice_index("a|b|c", "d"), std::nullopt);
  EXPECT_EQ(choice_index("a|b|c", "a|b"), std::nullopt);
}

}  // namespace
}  // namespace usvc
