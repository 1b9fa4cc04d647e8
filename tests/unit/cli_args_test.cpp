#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/args.h"
#include "cli/command.h"

namespace usvc {
namespace {

using List = std::vector<std::string>;

const std::vector<Flag> known_flags = {{"--follow", 'f', "", ""}, {"--lines", 'n', "N", ""}, {"--json", 0, "", ""}};

// "--lines=5 --follow= | web all", with "--" shown when it was there.
std::string shown(const Arguments& arguments) {
  std::string text;
  for (const auto& [id, value] : arguments.options) text += id + "=" + value + " ";
  text += arguments.dashes ? "--" : "|";
  for (const auto& word : arguments.words) text += " " + word;
  return text;
}

TEST(CliArgs, TakesApart) {
  struct Case {
    Options options;
    List words;
    std::string expected;
  };
  const Case cases[] = {
      {Options::anywhere, {}, "|"},
      {Options::anywhere, {"web", "-f", "all"}, "--follow= | web all"},
      {Options::anywhere, {"-n", "5", "web"}, "--lines=5 | web"},
      {Options::anywhere, {"-n5", "web"}, "--lines=5 | web"},
      {Options::anywhere, {"-fn5", "web"}, "--follow= --lines=5 | web"},
      {Options::anywhere, {"-fn", "5"}, "--follow= --lines=5 |"},
      {Options::anywhere, {"--lines=5", "--lines", "6"}, "--lines=5 --lines=6 |"},
      {Options::anywhere, {"--lines="}, "--lines= |"},
      {Options::anywhere, {"-n", "-f"}, "--lines=-f |"},
      {Options::anywhere, {"-", "web"}, "| - web"},
      {Options::anywhere, {"-5"}, "| -5"},
      {Options::anywhere, {"--", "-f", "web"}, "-- -f web"},
      {Options::anywhere, {"web", "--", "--"}, "-- web --"},
      {Options::before_words, {"-f", "cmd", "-f", "--", "--json"}, "--follow= | cmd -f -- --json"},
      {Options::before_words, {"--", "-f"}, "-- -f"},
      {Options::before_words, {"-f", "", "-n"}, "--follow= |  -n"},
  };
  for (const auto& c : cases) {
    const auto parsed = parse_arguments(known_flags, c.options, c.words);
    ASSERT_TRUE(parsed) << c.expected << ": " << parsed.error().message();
    EXPECT_EQ(shown(*parsed), c.expected);
  }
}

TEST(CliArgs, RefusesAsWrongUsage) {
  struct Case {
    List words;
    std::string message;
  };
  const Case cases[] = {
      {{"--folow"}, "unknown option --folow (did you mean --follow?)"},
      {{"-x"}, "unknown option -x"},
      {{"-fx"}, "unknown option -x"},
      {{"--follow=yes"}, "--follow takes no value"},
      {{"-n"}, "-n needs a value: N"},
      {{"web", "--lines"}, "--lines needs a value: N"},
  };
  for (const auto& c : cases) {
    const auto parsed = parse_arguments(known_flags, Options::anywhere, c.words);
    ASSERT_FALSE(parsed) << c.message;
    EXPECT_EQ(parsed.error().message(), c.message);
    EXPECT_EQ(parsed.error().kind(), ErrorKind::usage);
  }
}

TEST(CliArgs, LastValueWinsAndAllAreThere) {
  const auto parsed = parse_arguments(known_flags, Options::anywhere, {"-n1", "-n2"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->value("--lines"), "2");
  EXPECT_EQ(parsed->values("--lines"), (List{"1", "2"}));
  EXPECT_FALSE(parsed->value("--follow"));
  EXPECT_FALSE(parsed->has("--follow"));
}

TEST(CliArgs, SignalMayComeFirst) {
  struct Case {
    List words;
    List expected;
  };
  const Case cases[] = {
      {{"-TERM", "web"}, {"web", "TERM"}},      {{"-9", "web", "all"}, {"web", "all", "9"}},
      {{"web", "-HUP"}, {"web", "HUP"}},        {{"web", "HUP"}, {"web", "HUP"}},
      {{"-q", "web", "1"}, {"-q", "web", "1"}}, {{"--json", "-INT", "web"}, {"--json", "web", "INT"}},
  };
  for (const auto& c : cases) EXPECT_EQ(signal_last(c.words), c.expected);
}

}  // namespace
}  // namespace usvc
