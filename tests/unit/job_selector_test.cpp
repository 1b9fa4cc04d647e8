#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "job/selector.h"

namespace usvc {
namespace {

using Names = std::vector<std::string>;

// Deliberately out of order.
std::vector<JobRef> jobs() {
  return {
      {.name = "web-10", .group = "web", .state = JobState::running, .live = true},
      {.name = "web-2", .group = "web", .state = JobState::waiting, .live = false},
      {.name = "web-1", .group = "web", .state = JobState::running, .live = true},
      {.name = "mail", .group = "post", .state = JobState::stopped, .live = false},
      {.name = "broken", .group = "post", .state = JobState::invalid, .live = false},
      {.name = "ghost", .group = "old", .state = JobState::stopping, .live = true, .has_conf = false},
      {.name = "web", .group = "misc", .state = JobState::starting, .live = true},
      {.name = "gone", .group = "old", .state = JobState::stopped, .live = false, .has_conf = false},
  };
}

TEST(Select, ChoosesInNaturalOrder) {
  struct Row {
    Names words;
    Names expected;
  };
  const std::vector<Row> table = {
      {{"mail"}, {"mail"}},
      {{"web"}, {"web", "web-1", "web-2", "web-10"}},  // a job's name and a group at once
      {{"post"}, {"broken", "mail"}},
      {{"all"}, {"broken", "ghost", "gone", "mail", "web", "web-1", "web-2", "web-10"}},
      {{"live"}, {"ghost", "web", "web-1", "web-10"}},
      {{"state:dead", "mail"}, {"mail"}},
      {{"mail", "state:dead", "state:pre-run"}, {"mail"}},
      {{"dead"}, {"broken", "mail", "web-2"}},  // not what has no conf
      {{"web-*"}, {"web-1", "web-2", "web-10"}},
      {{"*"}, {"broken", "ghost", "gone", "mail", "web", "web-1", "web-2", "web-10"}},
      {{"web-?"}, {"web-1", "web-2"}},
      {{"web-[2-9]"}, {"web-2"}},
      {{"state:running"}, {"web-1", "web-10"}},
      {{"state:waiting"}, {"web-2"}},
      {{"web-10", "mail", "web-10", "web-*"}, {"mail", "web-1", "web-2", "web-10"}},  // a union, each once
      {{}, {}},
  };
  for (const auto& [words, expected] : table) {
    const auto selected = select(words, jobs());
    ASSERT_TRUE(selected) << testing::PrintToString(words) << selected.error().message();
    EXPECT_EQ(*selected, expected) << testing::PrintToString(words);
  }
}

TEST(Select, AWordThatMatchesNothingIsSaidInItsOwnWords) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"wbe", "no job is called 'wbe' (did you mean 'web'?)"},
      {"psot", "no job is called 'psot' (did you mean 'post'?)"},
      {"web-12", "no job is called 'web-12' (did you mean 'web-10'?)"},
      {"database", "no job is called 'database'"},
      {"a\nb", "no job is called 'a\\nb'"},
      {"x*", "no job's name matches 'x*'"},
      {"group", "no job is called 'group'"},
  };
  for (const auto& [word, message] : table) {
    const auto selected = select(Names{"mail", word}, jobs());
    ASSERT_FALSE(selected) << word;
    EXPECT_EQ(selected.error().kind(), ErrorKind::no_match) << word;
    EXPECT_EQ(selected.error().message(), message);
  }
}

TEST(Select, ASuggestionIsShownOnOneLine) {
  const std::vector<JobRef> odd = {{.name = "web\x1b", .group = "web\n"}};
  const auto selected = select(Names{"wb\x1b"}, odd);
  ASSERT_FALSE(selected);
  EXPECT_EQ(selected.error().message(), "no job is called 'wb\\x1b' (did you mean 'web\\x1b'?)");
}

TEST(Select, WithoutJobsEveryWordMatchesNothing) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"all", "there are no jobs (usvc start CMD makes one)"},
      {"live", "no job is running"},
      {"dead", "there are no jobs"},
      {"state:dead", "no job is in the state 'dead'"},
      {"web", "no job is called 'web'"},
      {"*", "no job's name matches '*'"},
  };
  for (const auto& [word, message] : table) {
    const auto selected = select(Names{word}, {});
    ASSERT_FALSE(selected) << word;
    EXPECT_EQ(selected.error().kind(), ErrorKind::no_match) << word;
    EXPECT_EQ(selected.error().message(), message);
  }
  const std::vector<JobRef> running = {{.name = "a", .group = "g", .state = JobState::running, .live = true}};
  EXPECT_EQ(select(Names{"dead"}, running).error().message(), "no job is dead");
}

TEST(Select, UnknownStatesAndEmptyWordsAreWrongUsage) {
  const auto mistyped = select(Names{"state:runing"}, jobs());
  ASSERT_FALSE(mistyped);
  EXPECT_EQ(mistyped.error().kind(), ErrorKind::usage);
  EXPECT_EQ(mistyped.error().message(), "no state is called 'runing' (did you mean 'running'?)");
  const auto unknown = select(Names{"state:"}, jobs());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind(), ErrorKind::usage);
  EXPECT_EQ(unknown.error().hint(), "stopped, starting, pre-run, running, dead, post-run, waiting, stopping, invalid");
  EXPECT_EQ(select(Names{""}, jobs()).error().kind(), ErrorKind::usage);
}

TEST(Select, EveryStateCanBeAskedFor) {
  for (const JobState state : all_job_states) {
    const std::vector<JobRef> one = {{.name = "a", .group = "g", .state = state}};
    EXPECT_EQ(select(Names{"state:" + std::string(to_string(state))}, one).value(), Names{"a"});
  }
}

TEST(GlobMatch, FollowsTheShell) {
  struct Row {
    const char* pattern;
    const char* text;
    bool expected;
  };
  const std::vector<Row> table = {
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"*", "", true},
      {"***", "abc", true},
      {"a*c", "abbbc", true},
      {"a*c", "abbbd", false},
      {"*a*b*", "xxaxxbxx", true},
      {"*ab", "aab", true},
      {"*aab", "aaab", true},
      {"?", "", false},
      {"?", "a", true},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"[abc]", "b", true},
      {"[abc]", "d", false},
      {"[a-c]x", "bx", true},
      {"[a-c]", "-", false},
      {"[!a-c]", "d", true},
      {"[!a-c]", "b", false},
      {"[^a]", "b", true},
      {"[]]", "]", true},
      {"[!]]", "]", false},
      {"[!]]", "a", true},
      {"[a-]", "-", true},
      {"[-a]", "-", true},
      {"[a", "[a", true},
      {"[a", "a", false},
      {"[", "[", true},
      {"[!", "[!", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"\\?x", "?x", true},
      {"\\", "\\", true},
      {"a*[0-9]", "ab7", true},
      {"a*[0-9]", "ab7x", false},
      {"web-*", "web-", true},
      {"web-*", "web", false},
      {"[\x80-\xff]", "\xc3", true},
      {"A", "a", false},
      {"*.*", "a.b", true},
      {"*[!x]", "abx", false},
      {"[z-a]", "m", false},
      {"*?", "a", true},
  };
  for (const Row& row : table)
    EXPECT_EQ(glob_match(row.pattern, row.text), row.expected) << row.pattern << " " << row.text;
}

TEST(GlobMatch, ManyStarsTakeNoTime) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  // A matcher that tries every way to share the letters out would not come back.
  EXPECT_FALSE(glob_match(pattern + "b", std::string(1000, 'a')));
  EXPECT_TRUE(glob_match(pattern, std::string(1000, 'a')));
}

}  // namespace
}  // namespace usvc
