// What is known of a screen from the bytes written to it, and how it is painted on another.
#include <gtest/gtest.h>

#include <string>

#include "terminal/line_ends.h"
#include "terminal/picture.h"
#include "terminal/screen_modes.h"

namespace usvc {

namespace {

ScreenModes modes_after(const std::string& bytes) {
  ScreenParser parser;
  parser.take(bytes);
  return parser.modes();
}

TEST(ScreenModes, WhatIsSwitchedOnIsSetAndTakenBack) {
  const struct {
    std::string bytes;
    std::string set;
    std::string reset;
  } rows[] = {
      {"plain \x1b[31mred", "", "\x1b[m"},
      {"\x1b[?25l", "\x1b[?25l", "\x1b[m\x1b[?25h"},
      {"\x1b[?25l\x1b[?25h", "", "\x1b[m"},
      {"\x1b[?1000;1006h\x1b[?2004h", "\x1b[?1000h\x1b[?1006h\x1b[?2004h", "\x1b[m\x1b[?1000l\x1b[?1006l\x1b[?2004l"},
      {"\x1b[?1049h", "", "\x1b[m\x1b[999;1H\x1b[K\x1b[?1049l"},
      {"\x1b=", "\x1b=", "\x1b[m\x1b>"},
      {"\x1b[4 q", "\x1b[4 q", "\x1b[m\x1b[0 q"},
      {"\x1b(0", "\x1b(0", "\x1b[m\x1b(B"},
      {"\x1b[>1u", "\x1b[>1u", "\x1b[m\x1b[<1u"},
      {"\x1b[>1u\x1b[<u", "", "\x1b[m"},
      {"\x1b[2;10r", "\x1b[2;10r",
       "\x1b[m\x1b"
       "7\x1b[r\x1b"
       "8"},
      {"\x1b[5;20r\x1b[?6h", "\x1b[?6h\x1b[5;20r", "\x1b[m\x1b[?6l\x1b[r\x1b[999;1H"},
      {"\x1b[?1h\x1b"
       "c",
       "", "\x1b[m"},
      {"\x1b]0;title [?25l\x07", "", "\x1b[m"},
      {"\x1bP\x1b[?25l", "\x1b[?25l", "\x1b[m\x1b[?25h"},
      {"\x1b[?99999999999999999999h\x1b[?h\x1b[h\x1b[>u\x1b[<99999999999u", "\x1b[", ""},
  };
  for (const auto& row : rows) {
    const ScreenModes modes = modes_after(row.bytes);
    if (row.reset.empty()) continue;  // it only has to be lived through
    EXPECT_EQ(modes.to_set(), row.set) << row.bytes;
    EXPECT_EQ(modes.to_reset(), row.reset) << row.bytes;
  }
}

TEST(ScreenModes, InOriginModeRowsCountFromTheUpperMargin) {
  EXPECT_EQ(modes_after("\x1b[5;20r").first_row(), 0);
  EXPECT_EQ(modes_after("\x1b[5;20r\x1b[?6h").first_row(), 4);
  EXPECT_EQ(modes_after("\x1b[?6h").first_row(), 0);
  ScreenPicture picture({24, 80});
  picture.write("\x1b[5;20r\x1b[?6h\x1b[3;7H");
  EXPECT_EQ(picture.cursor({24, 80}, 4), "\x1b[0m\x1b[3;7H");
}

TEST(ScreenModes, SequencesMayBeCutAnywhere) {
  const std::string bytes = "a\x1b[?1049h\x1b[?1000;1006h\x1b]2;title\x1b\\\x1b(0\xc3\xbc\x1b=";
  const ScreenModes whole = modes_after(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    ScreenParser parser;
    parser.take(bytes.substr(0, cut));
    parser.take(bytes.substr(cut));
    EXPECT_EQ(parser.modes(), whole) << cut;
    EXPECT_TRUE(parser.at_rest()) << cut;
  }
  ScreenParser parser;
  parser.take("\xe2\x82");
  EXPECT_FALSE(parser.at_rest()) << "half a character";
}

std::string shown(const TerminalModes& modes, const std::string& bytes) {
  LineEnds ends;
  ends.set_modes(modes);
  std::string out;
  ends.pass(bytes, out);
  return out;
}

TEST(LineEnds, AreWhatTheTerminalWouldHaveMadeOfThem) {
  const TerminalModes cooked;
  EXPECT_EQ(shown(cooked, "a\nb\r\n"), "a\r\nb\r\n");
  EXPECT_EQ(shown({.opost = false}, "a\nb"), "a\nb");
  EXPECT_EQ(shown({.onlcr = true}, "a\r\nb\n"), "a\r\nb\r\n") << "the kernel has done it, or it was written before";
  EXPECT_EQ(shown({.icanon = false}, "$ ls\nx\n"), "$ ls\r\nx\r\n") << "a shell's line editor";
  EXPECT_EQ(shown({.icanon = false}, "a\n\x1b[?1049hb\n\x1b[?1049lc\n"), "a\r\n\x1b[?1049hb\n\x1b[?1049lc\r\n");
  EXPECT_EQ(shown(cooked, "\x1b]0;a\nb\x07"), "\x1b]0;a\nb\x07") << "within a sequence";
}

TEST(LineEnds, OfBareNewlinesWithoutOutputProcessingTheSettingsAreAskedFor) {
  LineEnds ends;
  EXPECT_FALSE(ends.needs_modes("a\nb\n"));
  ends.set_modes({.opost = false, .icanon = false});
  EXPECT_TRUE(ends.needs_modes("a\nb"));
  EXPECT_FALSE(ends.needs_modes("a\r\nb\r\n"));
  EXPECT_FALSE(ends.needs_modes("\x1b[?1049ha\nb"));
  EXPECT_TRUE(ends.needs_modes("\x1b[?1049ha\nb\x1b[?1049l\n"));
  std::string out;
  ends.pass("\r", out);
  EXPECT_FALSE(ends.needs_modes("\n"));
}

TEST(LineEnds, SettingsFromBeforeAFullScreenAreNotBelieved) {
  LineEnds ends;
  std::string out;
  ends.pass("\x1b[?1049ha\n", out);
  EXPECT_EQ(out, "\x1b[?1049ha\n");
  ends.set_modes({});  // but those from after it are: a script that only prints there
  ends.pass("b\n", out);
  EXPECT_EQ(out, "\x1b[?1049ha\nb\r\n");
}

// Painted on a terminal of that size and read from there.
std::string repainted(const std::string& bytes, WindowSize from, WindowSize on) {
  ScreenPicture first(from);
  first.write(bytes);
  ScreenPicture second(on);
  second.write(first.paint(on) + first.cursor(on));
  return second.paint(on) + second.cursor(on);
}

TEST(ScreenPicture, IsTheSameWhereItIsPainted) {
  const WindowSize size{5, 20};
  const std::string screens[] = {
      "plain\r\ntext",
      "\x1b[1;31mred\x1b[0m \x1b[38;5;200mpink\x1b[48;2;1;2;3mdeep\x1b[7m reversed",
      "wide \xe6\xbc\xa2\xe5\xad\x97 e\xcc\x81 \xf0\x9f\x98\x80",
      "\x1b[3;5Hmiddle\x1b[1;1H",
      "\x1b[44m\x1b[2J blue all over",
      "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7",
      "\x1b[?1049hfull \x1b[4munder\x1b[94mlined",
      "01234567890123456789wrapped",
      "\x1b[4:3mcurly\x1b[21mdouble",
  };
  for (const auto& bytes : screens) {
    ScreenPicture direct(size);
    direct.write(bytes);
    EXPECT_EQ(repainted(bytes, size, size), direct.paint(size) + direct.cursor(size)) << bytes;
  }
}

TEST(ScreenPicture, RepetitionsAreWrittenOut) {
  const WindowSize size{2, 10};
  const auto shown = [&](const std::string& bytes) {
    ScreenPicture whole(size);
    whole.write(bytes);
    ScreenPicture parts(size);
    for (const char c : bytes) parts.write(std::string_view(&c, 1));
    EXPECT_EQ(parts.paint(size), whole.paint(size)) << bytes;
    return whole.paint(size);
  };
  EXPECT_EQ(shown("ab\x1b[3b!"), "\x1b[1;1Habbbb!\x1b[0m");
  EXPECT_EQ(shown("ab\x1b[b\x1b[0b"), "\x1b[1;1Habbb\x1b[0m");
  EXPECT_EQ(shown("\x1b[2b\x1b[bx"), "\x1b[1;1Hx\x1b[0m");
  EXPECT_EQ(shown("c\xe6\xbc\xa2\x1b[3b").substr(0, 13), "\x1b[1;1Hc\xe6\xbc\xa2\xe6\xbc\xa2" + std::string());
  EXPECT_EQ(shown("a\x1b[31b"), shown("a" + std::string(10, 'a')));  // a row at most
  for (const std::string between : {"\x1b]0;title\x07", "\x1b]0;title\x1b\\", "\x1b(B", "\x1b[1m\x1b[m"}) {
    EXPECT_EQ(shown("a" + between + "\x1b[2b"), "\x1b[1;1Haaa\x1b[0m") << between.substr(1);
  }
  EXPECT_EQ(shown("a\x1b[?2b\x1b(b!"), "\x1b[1;1Ha!\x1b[0m");
}

TEST(ScreenPicture, ASingleColumnHoldsNoWideCharacter) {
  for (const std::uint16_t rows : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{24}}) {
    ScreenPicture picture({rows, 1});
    picture.write("wide \xe6\xbc\xa2\xe5\xad\x97\r\n\xf0\x9f\x98\x80");
    EXPECT_FALSE((picture.paint({rows, 1}) + picture.cursor({rows, 1})).empty());
  }
}

TEST(ScreenPicture, WhatWasNeverSavedIsRestoredAsTheDefault) {
  const std::string restoring[] = {
      "\x1b"
      "8",
      "\x1b[?1048l", "\x1b[?1049l"};
  for (const auto& restore : restoring) {
    ScreenPicture picture({3, 20});
    picture.write("\x1b[31mred" + restore + "world");
    EXPECT_EQ(picture.paint({3, 20}), "\x1b[1;1Hworld\x1b[0m");
    EXPECT_EQ(picture.cursor({3, 20}), "\x1b[0m\x1b[1;6H");
  }
}

// Terminals count the columns of many characters differently.
TEST(ScreenPicture, WhatFollowsACharacterOfDoubtfulWidthHasItsOwnPlace) {
  const struct {
    std::string bytes;
    std::string painted;
  } rows[] = {
      {"👩‍👩‍👧\x1b[1;30Hright", "👩‍👩‍👧\x1b[30Gright"},
      {"👩‍👩‍👧right", "👩‍👩‍👧\x1b[7Gright"},
      {"🏳️‍🌈\x1b[1;30Hright", "🏳️‍🌈\x1b[30Gright"},
      {"🤷‍♂️right", "🤷‍♂️\x1b[4Gright"},
      {"👍🏽 right", "👍🏽\x1b[6Gright"},
      {"🫠\x1b[1;30Hright", "🫠\x1b[30Gright"},
      {"🫠right more", "🫠right\x1b[8Gmore"},  // which is not cut through
      {"漢字right ─── more", "漢字right\x1b[11G───\x1b[15Gmore"},
      {"😀\x1b[44m  \x1b[mx  ", "😀\x1b[3G\x1b[0;44m  \x1b[0mx"},
      {"plain  text", "plain  text"},
  };
  for (const auto& row : rows) {
    ScreenPicture picture({2, 40});
    picture.write(row.bytes);
    EXPECT_EQ(picture.paint({2, 40}), "\x1b[1;1H" + row.painted + "\x1b[0m");
  }
}

TEST(ScreenPicture, AWideCharacterIsWhollyThereOrNotAtAll) {
  const struct {
    std::string bytes;
    std::string painted;
  } rows[] = {
      {"漢字\x1b[1;2Hx", " x字"},         {"漢字\x1b[1;3Hx", "漢x"},
      {"漢字\x1b[1;4Hxy", "漢\x1b[4Gxy"}, {"漢字\x1b[1;2H\x1b[K", ""},
      {"漢字\x1b[1;4H\x1b[X", "漢"},      {"漢字\x1b[1;2Hあ", " あ"},
      {"ab😀c\x1b[1;4Hx", "ab xc"},        {"\x1b[44m漢\x1b[m\x1b[1;2Hx", "\x1b[0;44m \x1b[0mx"},
      {"漢\x1b[1;2H字\x1b[1;3Hx", "  x"}, {"──x", "──x"},
  };
  for (const auto& row : rows) {
    ScreenPicture picture({2, 40});
    picture.write(row.bytes);
    const std::string painted = picture.paint({2, 40});
    EXPECT_EQ(painted, row.painted.empty() ? "" : "\x1b[1;1H" + row.painted + "\x1b[0m") << row.bytes;
  }
}

TEST(ScreenPicture, ForgetsItsMarginsAndStaysWhereItIs) {
  ScreenPicture picture({6, 20});
  picture.write("\x1b[1;3r\x1b[3;4Habc");
  picture.forget_margins();
  EXPECT_EQ(picture.cursor({6, 20}), "\x1b[0m\x1b[3;7H");
  picture.write("\r\nbelow");
  EXPECT_EQ(picture.cursor({6, 20}), "\x1b[0m\x1b[4;6H");
}

TEST(ScreenPicture, IsCutToASmallerWindowWithTheCursorInIt) {
  ScreenPicture picture({10, 30});
  for (int i = 1; i <= 10; ++i) picture.write("line " + std::to_string(i) + " 0123456789abc" + (i < 10 ? "\r\n" : ""));
  const std::string painted = picture.paint({3, 8});
  EXPECT_EQ(painted.find("line 7"), std::string::npos);
  EXPECT_NE(painted.find("\x1b[1;1Hline 8 0"), std::string::npos) << painted;
  EXPECT_EQ(picture.cursor({3, 8}), "\x1b[0m\x1b[3;8H");
}

TEST(ScreenPicture, LivesThroughAnyBytes) {
  ScreenPicture picture({4, 4});
  std::string bytes;
  unsigned seed = 1;
  for (int i = 0; i < 200'000; ++i) {
    seed = seed * 1103515245U + 12345U;
    bytes += static_cast<char>((seed >> 16U) % 5 == 0 ? 0x1b : seed >> 20U);
  }
  picture.write(bytes);
  (void)picture.paint({4, 4});
  ScreenPicture huge({65535, 65535});
  huge.write("\x1b[9999;9999Hx");
}

}  // namespace

}  // namespace usvc
