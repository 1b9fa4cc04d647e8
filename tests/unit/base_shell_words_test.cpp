#include <gtest/gtest.h>

#include "base/shell_words.h"

namespace usvc {
namespace {

using Words = std::vector<std::string>;

TEST(ShellWords, AreSplitAsAShellDoes) {
  const struct {
    std::string_view text;
    Words words;
  } cases[] = {
      {"", {}},
      {"  \t ", {}},
      {"status", {"status"}},
      {"  stop  web-1\tweb-2 ", {"stop", "web-1", "web-2"}},
      {"log 'web-*'", {"log", "web-*"}},
      {"start -- sh -c 'echo \"a b\"; exit 1'", {"start", "--", "sh", "-c", "echo \"a b\"; exit 1"}},
      {R"(a "b \"c\" \n \\ $x" d)", {"a", R"(b "c" \n \ $x)", "d"}},
      {R"(a\ b c\'d \\)", {"a b", "c'd", "\\"}},
      {R"(--name="web 1"x)", {"--name=web 1x"}},
      {"'' \"\"", {"", ""}},
      {"stop web # not db", {"stop", "web"}},
      {"# all of it", {}},
      {"a#b '#' c", {"a#b", "#", "c"}},
      {"one \\\n two", {"one", "two"}},
      {"on\\\ne", {"one"}},
      {"'a\nb'", {"a\nb"}},
      {"# note\nstatus", {"status"}},
      {"grüße '…'", {"grüße", "…"}},
  };
  for (const auto& c : cases) {
    const auto split = split_shell_words(c.text);
    EXPECT_EQ(split.words, c.words) << c.text;
    EXPECT_FALSE(split.open) << c.text;
  }
}

TEST(ShellWords, AnOpenQuoteIsTold) {
  for (const std::string_view text : {"'a", "\"a", "a\\", "a 'b c", "\"a\\\"", "\"a\\"}) {
    EXPECT_TRUE(split_shell_words(text).open) << text;
  }
}

TEST(ShellWords, TellWhereTheLastWordBegins) {
  const auto in_word = split_shell_words("stop 'we");
  EXPECT_TRUE(in_word.in_word);
  EXPECT_EQ(in_word.last_begin, 5U);
  EXPECT_EQ(in_word.words.back(), "we");

  const auto between = split_shell_words("stop web ");
  EXPECT_FALSE(between.in_word);
  EXPECT_EQ(between.last_begin, 9U);
  EXPECT_TRUE(split_shell_words("stop # we").in_comment);
}

TEST(ShellWords, WhatWasEscapedIsOneWordAgain) {
  for (const std::string_view word :
       {"web-1", "a b", "it's", "\"x\"", "$HOME", "a\\b", "~/x", "#5", "[a]*?", "a;b&c|d"}) {
    EXPECT_EQ(split_shell_words(shell_escape(word)).words, Words{std::string(word)}) << word;
  }
}

}  // namespace
}  // namespace usvc
