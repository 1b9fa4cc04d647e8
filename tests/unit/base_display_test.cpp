#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/display.h"

namespace usvc {
namespace {

TEST(BaseDisplay, CutsAtColumnsNotBytes) {
  struct Case {
    std::string text;
    std::size_t columns;
    std::string expected;
  };
  const Case cases[] = {
      {"web-1", 80, "web-1"},
      {"web-1", 3, "web"},
      {"web-1", 0, ""},
      {"", 5, ""},
      {"größe", 3, "grö"},
      {"日本語", 4, "日本"},
      {"日本語", 5, "日本"},
      {"e\u0301x", 1, "e\u0301"},
      {"a\xff\xff", 2, "a\xff"},  // invalid bytes count one each
      {"\xc3", 1, "\xc3"},        // cut off in the middle of a character
      {"😀b", 2, "😀"},
  };
  for (const auto& c : cases) EXPECT_EQ(cut_to(c.text, c.columns), c.expected) << c.text << " to " << c.columns;
}

TEST(BaseDisplay, Width) {
  const std::pair<std::string, std::size_t> cases[] = {{"", 0},        {"abc", 3},      {"größe", 5}, {"日本", 4},
                                                       {"e\u0301", 1}, {"\xff\xfe", 2}, {"…", 1},     {"😀", 2}};
  for (const auto& [text, columns] : cases) EXPECT_EQ(display_width(text), columns) << text;
}

TEST(BaseDisplay, TamesAllButColors) {
  struct Case {
    std::string line;
    std::string expected;
  };
  const Case cases[] = {
      {"plain\ttext", "plain\ttext"},
      {"größe 日本", "größe 日本"},
      {"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m\x1b[0m"},
      {"\x1b[1;38:5:200mx", "\x1b[1;38:5:200mx\x1b[0m"},
      {"a\x1b[2Jb", "ab"},
      {"a\x1b[?1049hb", "ab"},
      {"a\x1b[>4mb", "ab"},  // ends like a colour, is none
      {"a\x1b]0;title\x07"
       "b",
       "ab"},
      {"a\x1b]52;c;aGk=\x1b\\b", "ab"},
      {"a\x1bP1$q\x1b\\b", "ab"},
      {"a\x1b]0;never ends", "a"},
      {"a\x1b(0b", "ab"},
      {"a\x1b"
       "cb",
       "ab"},
      {"a\x1b[31", "a"},
      {"a\x1b", "a"},
      {"a\r\b\x07\x7f"
       "b",
       "ab"},
      {"a\xc2\x9b"
       "2Jb",
       "a2Jb"},  // the one-character form of ESC [
      {"a\xc2\xc2\x01\x9b"
       "2Jb",
       "a\xc2"
       "2Jb"},               // whose two bytes are only brought together here
      {"\xc2na", "\xc2na"},  // not UTF-8, and no reason to lose a letter
  };
  for (const auto& c : cases) EXPECT_EQ(tame(c.line, true), c.expected);
  EXPECT_EQ(tame("\x1b[31mred\x1b[0m", false), "red");
}

TEST(BaseDisplay, PlainText) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"a\tb", "a       b"},
      {"\t\tb", "                b"},
      {"12345678\tb", "12345678        b"},
      {"größe\tb", "größe   b"},
      {"\x1b[31mred\x1b[0m\x1b[2J", "red"},
      {" 10%\r 50%\r100%", "100%"},
      {"dos\r", "dos"},
      {"\xff", "\\xff"},
  };
  for (const auto& [line, expected] : cases) EXPECT_EQ(plain_text(line), expected);
}

}  // namespace
}  // namespace usvc
