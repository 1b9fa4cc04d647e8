#include <gtest/gtest.h>

#include <string>

#include "cli/terminal.h"

namespace usvc {
namespace {

TEST(CliTerminal, CutsAtColumnsNotBytes) {
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

TEST(CliTerminal, Width) {
  const std::pair<std::string, std::size_t> cases[] = {{"", 0},        {"abc", 3},      {"größe", 5}, {"日本", 4},
                                                       {"e\u0301", 1}, {"\xff\xfe", 2}, {"…", 1},     {"😀", 2}};
  for (const auto& [text, columns] : cases) EXPECT_EQ(display_width(text), columns) << text;
}

TEST(CliTerminal, PaintsOnlyWithColors) {
  EXPECT_EQ(Terminal(true, true, 80).paint(Color::red, "x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Terminal(true, true, 80).paint(Color::plain, "x"), "x");
  EXPECT_EQ(Terminal(true, true, 80).paint(Color::red, ""), "");
  EXPECT_EQ(Terminal(true, false, 80).paint(Color::red, "x"), "x");
}

TEST(CliTerminal, APipeIsNeverCut) {
  const std::string line(1000, 'x');
  EXPECT_EQ(Terminal(false, false, std::nullopt).cut(line), line);
  EXPECT_EQ(Terminal(true, false, 80).cut(line).size(), 80U);
}

TEST(CliTerminal, TamesAllButColors) {
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

TEST(CliTerminal, ColorWish) {
  EXPECT_EQ(parse_color_wish("auto").value(), ColorWish::automatic);
  EXPECT_EQ(parse_color_wish("always").value(), ColorWish::always);
  EXPECT_EQ(parse_color_wish("never").value(), ColorWish::never);
  ASSERT_FALSE(parse_color_wish("red"));
  EXPECT_EQ(parse_color_wish("red").error().kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace usvc
