#include <gtest/gtest.h>

#include "cli/overwritten.h"
#include "cli/terminal.h"

namespace usvc {
namespace {

TEST(Overwritten, OnlyTheLastStateOfALineIsLeft) {
  struct Case {
    const char* what;
    std::string_view line;
    std::string_view expected;
  };
  const Case cases[] = {
      {"plain text", "hello\tworld", "hello\tworld"},
      {"CRLF", "hello\r", "hello\r"},
      {"a bar", "\r 10%\r 50%\r100%", "100%"},
      {"a shorter text leaves the rest", "hello world\rbye", "byelo world"},
      {"erased to the end", "hello world\r\x1b[Kbye", "bye"},
      {"all erased, the place is kept", "hello\x1b[2Kx", "     x"},
      {"erased up to here", "abcdef\x1b[3D\x1b[1Kx", "   xef"},
      {"backspace, as man writes bold", "b\bbo\bol\bld\bd", "bold"},
      {"a spinner", "work |\b/\b-\b\\\bdone", "work done"},
      {"to a column, as npm does", "loading\x1b[1G\x1b[0Kready", "ready"},
      {"to the right", "a\x1b[3Cb\rc", "c   b"},
      {"a tab moves to the next stop", "a\tb\rx", "x       b"},
      {"wide characters", "\xe6\x97\xa5\xe6\x9c\xac\rab", "ab\xe6\x9c\xac"},
      {"marks stay with their letter", "e\xcc\x81t\r\x1b[1Ca",
       "e\xcc\x81"
       "a"},
      {"colours go with their characters", "\x1b[31mred\x1b[0m\r\x1b[32mg\x1b[0m", "\x1b[32mg\x1b[0m\x1b[31med\x1b[0m"},
      {"a title is gone",
       "a\r\x1b]0;title\a"
       "b",
       "b"},
      {"invalid bytes", "\xff\xfe\rx", "x\xfe"},
      {"nothing is left", "busy\r\x1b[K", ""},
      {"a torn sequence", "a\rb\x1b[", "b"},
      {"a move too far", "a\r\x1b[99999999999999999999Cb", "b"},
  };
  for (const auto& c : cases) EXPECT_EQ(last_state(c.line), c.expected) << c.what;
}

TEST(Overwritten, MovesAreBounded) {
  std::string line;
  for (int i = 0; i < 100; ++i) line += "\x1b[999999Cx";
  EXPECT_LT(display_width(last_state("a\r" + line)), 100'000U);
  EXPECT_LT(display_width(last_state("a\r\x1b[4000000000Gx")), 2000U);
}

TEST(Overwritten, ColoursThatAreNeverResetDoNotPileUp) {
  std::string line = "\r";
  for (int i = 0; i < 2000; ++i) line += "\x1b[3" + std::to_string(i % 8) + "mx";
  EXPECT_LT(last_state(line).size(), 2000U * 300);
}

}  // namespace
}  // namespace usvc
