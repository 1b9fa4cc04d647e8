// A log's files as one stream: old ones, compressed ones, damaged indexes, seeking, and files that change meanwhile.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "log/history.h"
#include "log_testing.h"

namespace usvc {
namespace {

constexpr std::int64_t per_second = 1'000'000;
constexpr std::uint64_t no_end = Span{}.end;

Mark header(std::uint64_t position) {
  return {position, 0, 0, 0, MarkKind::header};
}
Mark run(std::uint64_t position, std::int64_t seconds, std::uint32_t number) {
  return {position, seconds * per_second, number, 0xa0 + number, MarkKind::run};
}
Mark batch(std::uint64_t position, std::int64_t seconds, std::uint32_t number = 0) {
  return {position, seconds * per_second, number, number == 0 ? 0 : 0xa0 + number, MarkKind::batch};
}

class LogHistoryTest : public testing_log::LogDirectory {
 protected:
  LogHistory open() {
    auto history = LogHistory::open(layout_, log_, [this](const std::string& message) { warnings_ += message + "\n"; });
    EXPECT_TRUE(history) << history.error().message();
    return std::move(*history);
  }
  static std::string text(LogHistory& history, Span span = {}) {
    std::string out;
    while (history.read(span.begin, span.end, out).value()) {
    }
    return out;
  }
  // Three files of 100 bytes, lines of ten; the first begins at 1000 and the second is compressed.
  void make_three() {
    for (int file = 0; file < 3; ++file) {
      std::string bytes;
      for (int line = 0; line < 10; ++line) bytes += "line " + std::to_string(100 + file * 10 + line) + "x\n";
      append(bytes);
      all_ += bytes;
      const auto base = std::uint64_t{1000} + 100 * static_cast<std::uint64_t>(file);
      const int at = 100 * (file + 1);
      mark({header(base), run(base, at, static_cast<std::uint32_t>(file + 1)), batch(base + 50, at + 50)});
      if (file < 2) rotate();
    }
    compress_old(2, 33);
  }

  std::string all_;
  std::string warnings_;
};

TEST_F(LogHistoryTest, NoFileIsAnEmptyLog) {
  auto history = open();
  EXPECT_EQ(text(history), "");
  EXPECT_EQ(history.end().value(), 0U);
  EXPECT_EQ(history.tail(10, {}).value(), 0U);
  EXPECT_EQ(history.since(5).value(), 0U);
  EXPECT_FALSE(history.run(-1).value());
  EXPECT_FALSE(history.at(0).value());
}

TEST_F(LogHistoryTest, AllFilesAreOneStream) {
  make_three();
  auto history = open();
  EXPECT_EQ(text(history), all_);
  EXPECT_EQ(history.begin().value(), 1000U);
  EXPECT_EQ(history.end().value(), 1300U);
  for (std::uint64_t begin = 1000; begin < 1300; begin += 7) {
    EXPECT_EQ(text(history, {begin, begin + 133}), all_.substr(begin - 1000, 133)) << begin;
  }
  EXPECT_EQ(warnings_, "");
}

TEST_F(LogHistoryTest, LastLines) {
  make_three();
  auto history = open();
  for (std::size_t lines = 0; lines <= 30; ++lines) EXPECT_EQ(history.tail(lines, {}).value(), 1300 - 10 * lines);
  EXPECT_EQ(history.tail(99, {}).value(), 1000U);
  EXPECT_EQ(history.tail(99, {1055, no_end}).value(), 1055U);
  EXPECT_EQ(history.tail(2, {0, 1120}).value(), 1100U);
  EXPECT_EQ(history.tail(2, {0, 1125}).value(), 1110U);
  EXPECT_EQ(history.line_begin(1120).value(), 1120U);
  EXPECT_EQ(history.line_begin(1119).value(), 1110U);
  EXPECT_EQ(history.line_begin(1000).value(), 1000U);
  EXPECT_EQ(history.line_end(1120).value(), 1120U);
  EXPECT_EQ(history.line_end(1095).value(), 1100U);
  EXPECT_EQ(history.line_end(1096).value(), 1100U);
  append("no end");
  EXPECT_EQ(history.tail(1, {}).value(), 1300U);
  EXPECT_EQ(history.line_end(1303).value(), 1306U);
}

TEST_F(LogHistoryTest, ALineThatGoesOnInTheNextFile) {
  append("one\ntw");
  mark({header(0), run(0, 1, 1)});
  rotate();
  append("o\nthree\n");
  mark({header(6), batch(6, 2)});
  auto history = open();
  EXPECT_EQ(history.tail(2, {}).value(), 4U);
  EXPECT_EQ(history.line_begin(7).value(), 4U);
  EXPECT_EQ(history.line_end(5).value(), 8U);
}

TEST_F(LogHistoryTest, SeeksByTime) {
  make_three();
  auto history = open();
  EXPECT_EQ(history.since(0).value(), 1000U);
  EXPECT_EQ(history.since(120 * per_second).value(), 1050U);
  EXPECT_EQ(history.since(150 * per_second).value(), 1050U);
  EXPECT_EQ(history.since(199 * per_second).value(), 1100U);
  EXPECT_EQ(history.since(300 * per_second).value(), 1200U);
  EXPECT_EQ(history.since(400 * per_second).value(), 1300U);
  EXPECT_EQ(history.until(0).value(), 1000U);
  EXPECT_EQ(history.until(150 * per_second).value(), 1100U);
  EXPECT_EQ(history.until(220 * per_second).value(), 1150U);
  EXPECT_EQ(history.until(400 * per_second).value(), no_end);
  EXPECT_EQ(warnings_, "");
}

TEST_F(LogHistoryTest, TellsWhenAndFromWhichRun) {
  make_three();
  auto history = open();
  EXPECT_EQ(history.at(1149).value()->run, 2U);
  EXPECT_EQ(history.at(1149).value()->time_us, 200 * per_second);
  EXPECT_EQ(history.at(1250).value()->time_us, 350 * per_second);
  EXPECT_FALSE(history.at(999).value());
}

TEST_F(LogHistoryTest, FindsRuns) {
  make_three();
  auto history = open();
  EXPECT_EQ(history.run(-1).value(), (Span{1200, no_end}));
  EXPECT_EQ(history.run(-2).value(), (Span{1100, 1200}));
  EXPECT_EQ(history.run(-3).value(), (Span{1000, 1100}));
  EXPECT_FALSE(history.run(-4).value());
  EXPECT_EQ(history.run(2).value(), (Span{1100, 1200}));
  EXPECT_EQ(history.run(2, 0xa2).value(), (Span{1100, 1200}));
  EXPECT_FALSE(history.run(2, 0xa3).value());
  EXPECT_FALSE(history.run(9).value());
}

TEST_F(LogHistoryTest, ARunMayCrossFiles) {
  append("one\n");
  mark({header(0), run(0, 1, 1)});
  rotate();
  append("one again\ntwo\n");
  mark({header(4), batch(4, 2, 1), run(14, 3, 2), batch(14, 4, 2)});
  auto history = open();
  EXPECT_EQ(text(history, *history.run(1).value()), "one\none again\n");
  EXPECT_EQ(text(history, *history.run(-1).value()), "two\n");
}

TEST_F(LogHistoryTest, WithoutAnIndexEveryByteIsShown) {
  make_three();
  for (const auto& path : {old_path(1) + ".idx", old_path(2) + ".idx"}) ASSERT_EQ(::unlink(path.c_str()), 0);
  auto history = open();
  EXPECT_EQ(history.begin().value(), 1000U) << "positions follow from the neighbours";
  EXPECT_EQ(text(history), all_);
  EXPECT_EQ(history.since(310 * per_second).value(), 1250U);
  EXPECT_EQ(history.since(400 * per_second).value(), 1300U);
  EXPECT_EQ(warnings_, "");
  EXPECT_EQ(history.since(100 * per_second).value(), 1000U);
  EXPECT_EQ(std::count(warnings_.begin(), warnings_.end(), '\n'), 2) << warnings_;
  EXPECT_EQ(history.since(100 * per_second).value(), 1000U);
  EXPECT_EQ(std::count(warnings_.begin(), warnings_.end(), '\n'), 2) << warnings_;
  ASSERT_EQ(::unlink(index_of(log_).c_str()), 0);
  auto bare = open();
  EXPECT_EQ(text(bare), all_);
  EXPECT_EQ(bare.end().value(), 300U);
}

TEST_F(LogHistoryTest, ADamagedIndexHidesNothing) {
  make_three();
  for (const auto& path : {old_path(1) + ".idx", old_path(2) + ".idx", index_of(log_)}) {
    std::string bytes = read_file(path).value();
    bytes[10] ^= 1;  // the header
    ASSERT_TRUE(write_file_atomically(path, bytes + "torn"));
  }
  auto history = open();
  EXPECT_EQ(text(history), all_);
  EXPECT_EQ(history.run(2).value(), (Span{1100, 1200}));
  EXPECT_EQ(history.at(1250).value()->time_us, 350 * per_second);
}

TEST_F(LogHistoryTest, AnOldFileThatWasGivenUpLeavesAGap) {
  make_three();
  ASSERT_EQ(::unlink((old_path(2) + ".zst").c_str()), 0);
  auto history = open();
  EXPECT_EQ(text(history), all_.substr(0, 100) + all_.substr(200));
  EXPECT_EQ(history.tail(15, {}).value(), 1050U);
  EXPECT_EQ(history.run(2).value(), std::nullopt);
}

TEST_F(LogHistoryTest, FilesMayGoBetweenListingAndOpening) {
  make_three();
  auto history = open();
  compress_old(1);
  EXPECT_EQ(text(history), all_) << "compressed since";
  auto another = open();
  ASSERT_EQ(::unlink((old_path(1) + ".zst").c_str()), 0);
  EXPECT_EQ(text(another), all_.substr(100)) << "given up since";
}

TEST_F(LogHistoryTest, DamagedCompressedFileIsNamedAndTheRestShown) {
  make_three();
  std::string bytes = read_file(old_path(2) + ".zst").value();
  ASSERT_TRUE(write_file_atomically(old_path(2) + ".zst", bytes.substr(0, bytes.size() - 3)));
  auto history = open();
  EXPECT_EQ(text(history), all_.substr(0, 199) + all_.substr(200));
  EXPECT_NE(warnings_.find("000002.zst: damaged"), std::string::npos) << warnings_;
}

TEST_F(LogHistoryTest, OfALargeIndexAllIsFoundThatIsAskedFor) {
  std::vector<Mark> marks = {header(0)};
  std::string bytes;
  constexpr std::uint32_t runs = 50;
  for (std::uint32_t i = 0; i < runs * 100; ++i) {
    const std::uint32_t number = i / 100 + 1;
    marks.push_back(i % 100 == 0 ? run(i * 10, i, number) : batch(i * 10, i, number));
    bytes += "some line\n";
  }
  append(bytes);
  mark(marks);
  for (const std::uint32_t number : {1U, 7U, 29U, 30U, 49U}) {
    auto history = open();
    EXPECT_EQ(history.run(number).value(), (Span{(number - 1) * 1000, number * 1000}));
    EXPECT_EQ(open().run(static_cast<std::int64_t>(number) - runs - 1).value(),
              (Span{(number - 1) * 1000, number * 1000}));
    const std::int64_t time = (number - 1) * 100 * per_second;
    EXPECT_EQ(open().until(time).value(), (number - 1) * 1000 + 10);
    EXPECT_EQ(open().at((number - 1) * 1000).value()->time_us, time);
    const auto whole = LogIndex::read(index_of(log_));
    EXPECT_EQ(open().since(time + 500'000).value(), whole->since(time + 500'000).value());
  }
  EXPECT_EQ(open().since(0).value(), 0U);
}

class FollowHistory : public LogHistoryTest {
 protected:
  // What has come since.
  std::string more(LogHistory& history) {
    std::string out;
    for (int i = 0; i < 20; ++i) {
      const auto next = history.catch_up(position_);
      EXPECT_TRUE(next);
      position_ = *next;
      while (history.read(position_, no_end, out).value()) {
      }
    }
    return out;
  }
  std::uint64_t position_ = 0;
};

TEST_F(FollowHistory, ALogThatComesToBeAndGrows) {
  auto history = open();
  EXPECT_EQ(more(history), "");
  append("one\n");
  EXPECT_EQ(more(history), "one\n");
  append("two\n");
  mark({header(0), run(0, 1, 1)});
  EXPECT_EQ(more(history), "two\n");
  EXPECT_EQ(history.at(position_).value()->run, 1U);
}

TEST_F(FollowHistory, Rotation) {
  append("one\n");
  mark({header(0), run(0, 1, 1)});
  auto history = open();
  EXPECT_EQ(more(history), "one\n");
  append("two\n");
  rotate();
  EXPECT_EQ(more(history), "two\n");
  append("three\n");
  mark({header(8), batch(8, 3, 1)});
  rotate();
  append("four\n");
  mark({header(14), batch(14, 4, 1)});
  rotate();
  append("five\n");
  mark({header(19), batch(19, 5, 1)});
  EXPECT_EQ(more(history), "three\nfour\nfive\n");
  append("six\n");
  rotate();
  append("seven\n");
  mark({header(28), batch(28, 6, 1)});
  compress_old(4);
  EXPECT_EQ(more(history), "six\nseven\n");
  EXPECT_EQ(history.at(30).value()->time_us, 6 * per_second);
}

TEST_F(FollowHistory, RotationWithoutIndexes) {
  append("one\n");
  auto history = open();
  EXPECT_EQ(more(history), "one\n");
  append("two\n");
  rotate();
  append("three\n");
  rotate();
  append("four\n");
  EXPECT_EQ(more(history), "two\nthree\nfour\n");
}

TEST_F(FollowHistory, TruncationWithAndWithoutItsMark) {
  append("a long line\n");
  mark({header(0), run(0, 1, 1)});
  auto history = open();
  EXPECT_EQ(more(history), "a long line\n");
  ASSERT_EQ(::truncate(log_.c_str(), 0), 0);
  append("new\n");
  EXPECT_EQ(more(history), "new\n");
  mark({header(12), batch(12, 2, 1)});
  EXPECT_EQ(more(history), "");
  append("more\n");
  EXPECT_EQ(more(history), "more\n");
  EXPECT_EQ(position_, 21U);
  // Marked before it is seen, and longer than before.
  ASSERT_EQ(::truncate(log_.c_str(), 0), 0);
  mark({header(21), batch(21, 3, 1)});
  append("this is longer than what was there before\n");
  EXPECT_EQ(more(history), "this is longer than what was there before\n");
}

TEST_F(FollowHistory, CleanedAndMadeAnew) {
  append("old\n");
  mark({header(700), run(700, 1, 1)});
  auto history = open();
  EXPECT_EQ(more(history), "old\n");
  ASSERT_EQ(std::rename(log_.c_str(), (dir_ + "/away").c_str()), 0);
  ASSERT_EQ(::unlink(index_of(log_).c_str()), 0);
  EXPECT_EQ(more(history), "");
  append("new\n");
  mark({header(0), run(0, 9, 1)});
  EXPECT_EQ(more(history), "new\n");
}

}  // namespace
}  // namespace usvc
