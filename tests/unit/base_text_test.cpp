#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>

#include "base/text.h"

namespace usvc {
namespace {

TEST(ParseSize, ReadsBytesAndUnits) {
  const std::vector<std::pair<std::string, std::uint64_t>> table = {
      {"0", 0},
      {"100", 100},
      {"1K", 1024},
      {"512k", 512 * 1024},
      {"64M", 64ULL << 20},
      {"64MB", 64ULL << 20},
      {"64MiB", 64ULL << 20},
      {"4G", 4ULL << 30},
      {"2T", 2ULL << 40},
      {"15E", 15ULL << 60},
      {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()},
  };
  for (const auto& [text, expected] : table) {
    const auto size = parse_size(text);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(*size, expected) << text;
  }
}

TEST(ParseSize, RefusesTheRest) {
  for (const char* text :
       {"", "M", "-1", "+1", "1.5G", "64X", "64MM", "64 M", " 64M", "16E", "18446744073709551616", "1iB", "64Mb"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().kind(), ErrorKind::usage);
  }
}

TEST(FormatSize, IsShortAndRounded) {
  const std::vector<std::pair<std::uint64_t, std::string>> table = {
      {0, "0"},
      {1023, "1023"},
      {1024, "1K"},
      {1536, "1.5K"},
      {900 * 1024, "900K"},
      {1023 * 1024 + 900, "1M"},
      {12ULL << 20, "12M"},
      {(1ULL << 30) + (1ULL << 29), "1.5G"},
      {(10ULL << 20) - 1, "10M"},
      {std::numeric_limits<std::uint64_t>::max(), "16E"},
  };
  for (const auto& [bytes, expected] : table) EXPECT_EQ(format_size(bytes), expected);
}

TEST(FormatSize, NeverHasMoreThanFiveCharacters) {
  for (unsigned shift = 0; shift < 64; ++shift) {
    const std::uint64_t power = std::uint64_t{1} << shift;
    for (const std::uint64_t bytes : {power - 1, power, power + power / 3, power + power / 2, 2 * power - 1}) {
      EXPECT_LE(format_size(bytes).size(), 5U) << bytes << " is " << format_size(bytes);
    }
  }
}

TEST(ParseNumber, TakesTheWholeText) {
  EXPECT_EQ(parse_number("0").value(), 0);
  EXPECT_EQ(parse_number("-20").value(), -20);
  EXPECT_EQ(parse_number("007").value(), 7);
  EXPECT_EQ(parse_number("9223372036854775807").value(), std::numeric_limits<long long>::max());
  for (const char* text : {"", "x", "1x", "1 ", " 1", "+1", "1.0", "--1", "9223372036854775808"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

TEST(Split, KeepsEmptyParts) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(split("a:b:c", ':'), (Parts{"a", "b", "c"}));
  EXPECT_EQ(split(":a:", ':'), (Parts{"", "a", ""}));
  EXPECT_EQ(split("abc", ':'), (Parts{"abc"}));
  EXPECT_EQ(split("", ':'), (Parts{""}));
}

TEST(Trim, TakesWhiteSpaceFromBothEnds) {
  EXPECT_EQ(trim(" \t\r\n a b \v\f"), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(NaturalLess, OrdersNumbersByValue) {
  const std::vector<std::string> in_order = {
      "",      "1",    "2",       "10",     "a",     "a1b1",   "a1b2",      "a1b10",
      "a2",    "web",  "web-1",   "web-01", "web-2", "web-10", "web-10000", "web-99999999999999999999999",
      "web-a", "webx", "\xc3\xa4"};
  // Every pair both ways: it must be a strict weak order, or sorting by it is undefined.
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    for (std::size_t j = 0; j < in_order.size(); ++j) {
      // Equal in value: the plain text decides.
      const bool zeros = std::min(i, j) == 10 && std::max(i, j) == 11;
      const bool expected = zeros ? in_order[i] < in_order[j] : i < j;
      EXPECT_EQ(natural_less(in_order[i], in_order[j]), expected) << in_order[i] << " and " << in_order[j];
    }
  }
}

TEST(Nearest, SuggestsWhatIsNearEnough) {
  const std::vector<std::string> words = {"web", "worker", "status", "stop-timeout", "start"};
  const std::vector<std::pair<std::string, std::string>> table = {
      {"wbe", "web"},        // swapped
      {"we", "web"},         // left out
      {"webb", "web"},       // doubled
      {"wob", "web"},        // replaced
      {"stauts", "status"},  // swapped, 6 letters
      {"wroekr", "worker"},  // two swaps, 6 letters
      {"stoptimeout", "stop-timeout"},
      {"web", "web"},
      {"xyz", ""},
      {"wxyz", ""},
      {"", ""},
      {"strt", "start"},
      {"database", ""},
  };
  for (const auto& [word, expected] : table) EXPECT_EQ(nearest(word, words), expected) << word;
}

TEST(Nearest, NeverSuggestsAWordWithNothingInCommon) {
  EXPECT_EQ(nearest("a", {"b"}), "");
  EXPECT_EQ(nearest("a", {"ab"}), "ab");
  EXPECT_EQ(nearest("a", {""}), "");
  EXPECT_EQ(nearest("web", {}), "");
  EXPECT_EQ(nearest("--nope", {"--home"}), "") << "dashes are not letters that were typed right";
  EXPECT_EQ(nearest("--nome", {"--home"}), "--home");
}

TEST(Nearest, PrefersTheNearerThenTheFirst) {
  EXPECT_EQ(nearest("workers", {"walkers", "worker"}), "worker");
  EXPECT_EQ(nearest("wab", {"web", "wob"}), "web");
}

TEST(Printable, EscapesWhatCannotBeShown) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"plain text", "plain text"},
      {"a\nb\tc\r", "a\\nb\\tc\\r"},
      {"\x1b[31m", "\\x1b[31m"},
      {std::string("\0x", 2), "\\x00x"},
      {"\x7f", "\\x7f"},
      {"back\\slash", "back\\slash"},
      {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},  // 2, 3 and 4 bytes
      {"\xff", "\\xff"},
      {"\xc3", "\\xc3"},                             // cut off
      {"\xc3(", "\\xc3("},                           // no continuation
      {"\xc0\xaf", "\\xc0\\xaf"},                    // overlong
      {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},           // overlong
      {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},  // overlong
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
      {"\xc2\x9b"
       "31m",
       "\\xc2\\x9b"
       "31m"},  // control character U+009B
      {"\xc2\xa0", "\xc2\xa0"},
      {"", ""},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(printable(text), expected);
}

TEST(ShellQuote, QuotesOnlyWhatMustBe) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"plain", "plain"}, {"/usr/bin/a-b_c.d", "/usr/bin/a-b_c.d"},
      {"K=V", "K=V"},     {"", "''"},
      {"a b", "'a b'"},   {"it's", "'it'\\''s'"},
      {"$x", "'$x'"},     {"~", "'~'"},
      {"a\nb", "'a\nb'"}, {"*", "'*'"},
      {"-x", "-x"},       {"\\", "'\\'"},
  };
  for (const auto& [word, expected] : table) EXPECT_EQ(shell_quote(word), expected);
}

TEST(ShellQuote, IsReadBackByTheShell) {
  std::string word;
  for (int byte = 1; byte < 256; ++byte) word += static_cast<char>(byte);
  const std::string command = "printf %s " + shell_quote(word);
  const auto close = [](FILE* file) { (void)::pclose(file); };
  const std::unique_ptr<FILE, decltype(close)> pipe(::popen(command.c_str(), "re"), close);
  ASSERT_TRUE(pipe);
  std::array<char, 1024> output{};
  const std::size_t got = std::fread(output.data(), 1, output.size(), pipe.get());
  EXPECT_EQ(std::string(output.data(), got), word);
}

TEST(RandomHex, HasTheLengthAndDiffers) {
  EXPECT_EQ(random_hex(0), "");
  const std::string one = random_hex(16);
  EXPECT_EQ(one.size(), 32U);
  EXPECT_EQ(one.find_first_not_of("0123456789abcdef"), std::string::npos) << one;
  EXPECT_NE(one, random_hex(16));
  EXPECT_EQ(random_hex(1000).size(), 2000U);
}

}  // namespace
}  // namespace usvc
