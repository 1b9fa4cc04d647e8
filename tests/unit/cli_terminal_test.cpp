#include <gtest/gtest.h>

#include <string>

#include "cli/terminal.h"

namespace usvc {
namespace {

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

TEST(CliTerminal, ColorWish) {
  EXPECT_EQ(parse_color_wish("auto").value(), ColorWish::automatic);
  EXPECT_EQ(parse_color_wish("always").value(), ColorWish::always);
  EXPECT_EQ(parse_color_wish("never").value(), ColorWish::never);
  ASSERT_FALSE(parse_color_wish("red"));
  EXPECT_EQ(parse_color_wish("red").error().kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace usvc
