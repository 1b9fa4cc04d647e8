#include <gtest/gtest.h>

#include <string>

#include "terminal/key_filter.h"

namespace usvc {

namespace {

using namespace std::string_literals;

struct KeyRow {
  std::string keys;
  std::string bytes;
  bool leave = false;
  bool held_back = false;
};

void expect_row(const KeyRow& row, bool signals = true) {
  KeyFilter filter(Keys::attach);
  const Typed typed = filter.take(row.keys, signals);
  EXPECT_EQ(typed.bytes, row.bytes) << row.keys;
  EXPECT_EQ(typed.leave, row.leave) << row.keys;
  EXPECT_EQ(typed.held_back, row.held_back) << row.keys;
}

TEST(KeyFilter, WhatKeysMean) {
  const KeyRow rows[] = {
      {"plain \xc3\xbc\r", "plain \xc3\xbc\r"},
      {"\x1b[A\x1b", "\x1b[A\x1b"},
      {"ab\x04"s + "cd", "ab", true},
      {"a\x03"s + "b", "ab", false, true},
      {"\x1c", "", false, true},
      {"\x1d\x03", "\x03"},
      {"\x1d\x04x", "\x04x"},
      {"\x1d\x1d", "\x1d"},
      {"\x1d\x1b[A", "\x1b[A"},
      {"\x1a", "\x1a"},
      // As kitty and xterm tell them to programs that have asked.
      {"\x1b[100;5u", "", true},
      {"\x1b[100;5:1u", "", true},
      {"\x1b[27;5;100~", "", true},
      {"\x1b[99;5u", "", false, true},
      {"\x1b[93;5u\x1b[99;5u", "\x1b[99;5u"},
      {"\x1b[100;2u", "\x1b[100;2u"},
      {"\x1b[97;5u", "\x1b[97;5u"},
      {"\x1b[<0;10;20M", "\x1b[<0;10;20M"},
  };
  for (const auto& row : rows) expect_row(row);
  expect_row({"\x1c", "\x1c"}, false);
}

TEST(KeyFilter, APasteIsNobodysCommandHoweverItIsCut) {
  const std::string paste = "\x1b[200~one\x01two\x04three\x1d\x04\x1b[20x\x1b[201~";
  for (std::size_t cut = 0; cut <= paste.size(); ++cut) {
    KeyFilter filter(Keys::attach);
    Typed first = filter.take(paste.substr(0, cut), true);
    const Typed rest = filter.take(paste.substr(cut) + "x\x04", true);
    EXPECT_EQ(first.bytes + rest.bytes, paste + "x") << cut;
    EXPECT_FALSE(first.leave || first.held_back || rest.held_back) << cut;
    EXPECT_TRUE(rest.leave) << cut;
  }
}

TEST(KeyFilter, APasteIsNoSignal) {
  KeyFilter filter(Keys::attach);
  const Typed typed = filter.take(
      "\x1b[200~a\x03"
      "b\x1c\x1b[201~",
      true);
  EXPECT_EQ(typed.bytes, "\x1b[200~ab\x1b[201~");
  EXPECT_TRUE(typed.held_back);
  // For a program that reads keys itself they are only text.
  EXPECT_EQ(filter.take("\x1b[200~a\x03\x1b[201~", false).bytes, "\x1b[200~a\x03\x1b[201~");
}

TEST(KeyFilter, TheNextKeyMayComeLater) {
  KeyFilter filter(Keys::attach);
  EXPECT_EQ(filter.take("\x1d", true).bytes, "");
  EXPECT_EQ(filter.take("\x04", true).bytes, "\x04");
  EXPECT_TRUE(filter.take("\x04", true).leave);
}

TEST(KeyFilter, OfARunEveryKeyIsTheProgrammes) {
  KeyFilter filter(Keys::run);
  const Typed typed = filter.take("\x03\x04\x1d\x1c", true);
  EXPECT_EQ(typed.bytes, "\x03\x04\x1d\x1c");
  EXPECT_FALSE(typed.leave || typed.held_back);
}

}  // namespace

}  // namespace usvc
