// The index beside a log: what is in it, what is made of a damaged one, and how it is written.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/files.h"
#include "log/index.h"
#include "log_testing.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

constexpr std::int64_t a_second = 1'000'000;
using testing_log::bytes_of;

Mark first_mark(std::uint64_t position) {
  return {position, 0, 0, 0, MarkKind::header};
}
Mark run_mark(std::uint64_t position, std::int64_t time_us, std::uint32_t number) {
  return {position, time_us, number, 0xabcdU + number, MarkKind::run};
}
Mark batch_mark(std::uint64_t position, std::int64_t time_us) {
  return {position, time_us, 0, 0, MarkKind::batch};
}

TEST(LogMark, IsThirtyTwoLittleEndianBytes) {
  const Mark mark{0x0102030405060708U, -2, 0x11223344U, 0xaabbccddU, MarkKind::batch};
  const auto bytes = to_bytes(mark);
  const std::string begin(
      "\x08\x07\x06\x05\x04\x03\x02\x01\xfe\xff\xff\xff\xff\xff\xff\xff\x44\x33\x22\x11\xdd\xcc\xbb\xaa"
      "\x03\0\0\0",
      28);
  EXPECT_EQ(std::string(bytes.data(), 28), begin);
  EXPECT_EQ(parse_mark({bytes.data(), bytes.size()}), mark);
}

TEST(LogMark, ADamagedOneIsNone) {
  const std::string good = bytes_of({run_mark(5, 7, 9)});
  EXPECT_FALSE(parse_mark(good.substr(1)));
  EXPECT_FALSE(parse_mark(""));
  EXPECT_FALSE(parse_mark(std::string(mark_size, '\0')));
  for (std::size_t bit = 0; bit < mark_size * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(parse_mark(bad)) << bit;
  }
  EXPECT_FALSE(parse_mark(bytes_of({{1, 2, 3, 4, static_cast<MarkKind>(9)}})));
}

TEST(LogIndex, TellsWhenAByteCameAndFromWhichRun) {
  const auto index = LogIndex::parse(bytes_of(
      {first_mark(1000), run_mark(1000, 10 * a_second, 1), batch_mark(1100, 20 * a_second), run_mark(1200, 30, 2)}));
  EXPECT_EQ(index.base(), 1000U);
  EXPECT_FALSE(index.at(999));
  EXPECT_EQ(index.at(1000)->run, 1U);
  EXPECT_EQ(index.at(1099)->time_us, 10 * a_second);
  EXPECT_EQ(index.at(1100)->time_us, 20 * a_second);
  EXPECT_EQ(index.at(1100)->run, 1U) << "a batch is of the run before it";
  EXPECT_EQ(index.at(9999)->run, 2U);
  EXPECT_EQ(index.at(9999)->time_us, 20 * a_second) << "times never fall";
}

TEST(LogIndex, SeeksByTime) {
  const auto index =
      LogIndex::parse(bytes_of({first_mark(0), batch_mark(0, 10 * a_second), batch_mark(100, 10 * a_second + 150'000),
                                batch_mark(200, 20 * a_second)}));
  EXPECT_EQ(index.since(0), 0U);
  EXPECT_EQ(index.since(10 * a_second), 0U);
  EXPECT_EQ(index.since(10 * a_second + 1), 0U) << "some of the first batch may have come later than its mark";
  EXPECT_EQ(index.since(10 * a_second + 150'000), 0U);
  EXPECT_EQ(index.since(10 * a_second + 150'001), 100U);
  EXPECT_EQ(index.since(15 * a_second), 200U) << "in a pause nothing came";
  EXPECT_EQ(index.since(20 * a_second + 100'000), 200U);
  EXPECT_EQ(index.since(30 * a_second), std::nullopt);
  EXPECT_EQ(index.after(9 * a_second), 0U);
  EXPECT_EQ(index.after(10 * a_second), 100U);
  EXPECT_EQ(index.after(20 * a_second), std::nullopt);
  EXPECT_EQ(LogIndex().since(5), std::nullopt);
}

TEST(LogIndex, WhatCameWhileNobodyMarkedMayHaveComeUntilItWasResumed) {
  const auto index = LogIndex::parse(
      bytes_of({first_mark(0), batch_mark(0, 10 * a_second), {100, 900 * a_second, 1, 1, MarkKind::resumed}}));
  EXPECT_EQ(index.since(500 * a_second), 0U);
  EXPECT_EQ(index.since(901 * a_second), std::nullopt);
}

TEST(LogIndex, AnIndexThatHasBecomeDearIsMarkedByTheMinute) {
  std::vector<Mark> marks = {first_mark(0)};
  for (std::uint64_t i = 0; i < 2200; ++i) marks.push_back(batch_mark(i * 10, static_cast<std::int64_t>(i) * a_second));
  const auto index = LogIndex::parse(bytes_of(marks));
  EXPECT_EQ(index.since(10 * a_second + 500'000), 110U);
  EXPECT_EQ(index.since(2199 * a_second + 50 * a_second), 21'990U);
  EXPECT_EQ(index.since(2199 * a_second + 130 * a_second), std::nullopt);
}

TEST(LogIndex, DamageCostsTheMarkOnly) {
  std::string bytes = bytes_of({first_mark(0), batch_mark(0, 1), batch_mark(100, 2), batch_mark(200, 3)});
  bytes[2 * mark_size + 3] = 'x';
  bytes += "torn";
  const auto index = LogIndex::parse(bytes);
  ASSERT_EQ(index.marks().size(), 2U);
  EXPECT_EQ(index.at(150)->time_us, 1);
  EXPECT_EQ(LogIndex::parse(bytes.substr(mark_size)).base(), std::nullopt);
}

TEST(LogIndex, AMarkBeforeTheOneBeforeItIsNone) {
  const auto index = LogIndex::parse(
      bytes_of({first_mark(50), batch_mark(200, 3), batch_mark(100, 4), batch_mark(10, 5), batch_mark(300, 6)}));
  ASSERT_EQ(index.marks().size(), 2U);
  EXPECT_EQ(index.at(250)->time_us, 3);
}

TEST(LogIndex, ALaterHeaderCountsInsteadOfWhatWasBefore) {
  const auto index =
      LogIndex::parse(bytes_of({first_mark(0), batch_mark(500, 3), first_mark(600), batch_mark(650, 4)}));
  EXPECT_EQ(index.base(), 600U);
  ASSERT_EQ(index.marks().size(), 1U);
}

TEST(LogIndex, GrowsAsItIsReadOn) {
  const std::string bytes = bytes_of({first_mark(7), run_mark(7, 1, 3), batch_mark(9, 2)});
  LogIndex index = LogIndex::parse(bytes.substr(0, 2 * mark_size));
  index.add(bytes.substr(2 * mark_size));
  EXPECT_EQ(index.marks(), LogIndex::parse(bytes).marks());
  EXPECT_EQ(index.at(9)->run, 3U);
}

class IndexFile : public testing::Test {
 protected:
  // Goes on with a log in which this run had begun.
  std::vector<Mark> marks_after(std::uint64_t log_size, const RunStart& began) {
    EXPECT_TRUE(IndexWriter::open(path_, log_size, 0, 9 * a_second, began));
    return index().marks();
  }
  IndexWriter open(std::uint64_t log_size, std::uint64_t next_position, std::int64_t now_us) {
    auto writer = IndexWriter::open(path_, log_size, next_position, now_us);
    EXPECT_TRUE(writer) << writer.error().message();
    return std::move(*writer);
  }
  LogIndex index() {
    auto read = LogIndex::read(path_);
    EXPECT_TRUE(read);
    return std::move(*read);
  }
  std::size_t size() { return read_file(path_).value().size(); }
  LogIndex end_of(const std::string& bytes, std::size_t newest) {
    EXPECT_TRUE(write_file_atomically(path_, bytes, Flush::no));
    const auto file = open_file(path_, O_RDONLY);
    EXPECT_TRUE(file);
    auto end = LogIndex::read_end(*file, bytes.size() / mark_size * mark_size, newest);
    EXPECT_TRUE(end);
    return std::move(*end);
  }

  TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
  const std::string path_ = dir_ + "/web.log.idx";
};

// As usvc writes it, with the header once more among each 64 marks; `with` false: as one that has it at its front only.
std::string long_index(bool with) {
  std::vector<Mark> marks = {first_mark(50), batch_mark(60, 1), first_mark(100)};
  for (std::uint64_t i = 0; i < 5000; ++i) {
    if (with && marks.size() % 64 == 0) marks.push_back({.position = 100, .kind = MarkKind::again});
    marks.push_back(batch_mark(100 + i * 10, static_cast<std::int64_t>(i) * a_second));
  }
  return bytes_of(marks);
}

TEST_F(IndexFile, ItsEndIsEnoughForWhatIsNew) {
  const std::string bytes = long_index(true);
  const LogIndex whole = LogIndex::parse(bytes);
  EXPECT_EQ(whole.base(), 100U);
  EXPECT_EQ(whole.marks().size(), 5000U);
  const LogIndex end = end_of(bytes, 100 * mark_size + 5);
  EXPECT_TRUE(end.partial());
  EXPECT_GT(end.marks().size(), 90U);
  EXPECT_LT(end.marks().size(), 100U);
  EXPECT_EQ(end.base(), 100U);
  for (const std::int64_t at : {4920, 4950, 4999, 5030, 5200})
    EXPECT_EQ(end.since(at * a_second), whole.since(at * a_second)) << at;
  const LogIndex all = end_of(bytes, bytes.size());
  EXPECT_FALSE(all.partial());
  EXPECT_EQ(all.marks(), whole.marks());
  EXPECT_TRUE(end_of("", 100).marks().empty());
}

TEST_F(IndexFile, AllOfItIsReadWhereItsEndDoesNotSayEnough) {
  const std::string headers_at_front = long_index(false);
  const LogIndex front = end_of(headers_at_front, 100 * mark_size);
  EXPECT_FALSE(front.partial());
  EXPECT_EQ(front.base(), 100U);
  EXPECT_EQ(front.marks().size(), 5000U);
  std::string damaged = long_index(true);
  std::fill(damaged.end() - 200 * static_cast<std::ptrdiff_t>(mark_size), damaged.end(), 'x');
  const LogIndex last = end_of(damaged, 100 * mark_size);
  EXPECT_FALSE(last.partial());
  EXPECT_EQ(last.marks(), LogIndex::parse(damaged).marks());
  // Where the front is lost what is repeated tells where the file begins.
  EXPECT_EQ(LogIndex::parse(long_index(true).substr(3 * mark_size)).base(), 100U);
}

TEST_F(IndexFile, ALongOneIsGoneOnWithFromItsEnd) {
  constexpr int marks = 1000;
  {
    auto writer = open(0, 0, 1);
    writer.run_begins(0, 1, 3, 0xabc);
    for (int i = 1; i < marks; ++i) writer.batch(static_cast<std::uint64_t>(i) * 10, i * a_second);
  }
  EXPECT_LT(size(), (marks + marks / 60 + 3) * mark_size) << "repeating the header costs little";
  EXPECT_TRUE(LogIndex::read_end(path_)->partial());
  EXPECT_EQ(LogIndex::read_end(path_)->marks().back(), index().marks().back());
  auto writer = open(marks * 10, 7, marks * a_second);
  EXPECT_EQ(writer.position(5), 5U);
  writer.batch(marks * 10, (marks + 1) * a_second);
  EXPECT_EQ(index().marks().back().run, 3U);
  EXPECT_EQ(index().marks().back().nonce, 0xabcU);
}

TEST_F(IndexFile, NoneIsAnEmptyOne) {
  EXPECT_FALSE(index().base());
  EXPECT_TRUE(index().marks().empty());
}

TEST_F(IndexFile, IsWrittenAndRead) {
  auto writer = open(0, 4000, 1 * a_second);
  EXPECT_EQ(writer.position(10), 4010U);
  writer.run_begins(0, 2 * a_second, 3, 0xbeefU);
  writer.batch(50, 2 * a_second + 99'999);
  writer.batch(60, 2 * a_second + 100'000);
  const LogIndex read = index();
  EXPECT_EQ(read.base(), 4000U);
  const std::vector<Mark> expected = {{4000, 2 * a_second, 3, 0xbeef, MarkKind::run},
                                      {4060, 2 * a_second + 100'000, 3, 0xbeef, MarkKind::batch}};
  EXPECT_EQ(read.marks(), expected);
}

TEST_F(IndexFile, GoesOnBehindWhatIsThereAndSaysSo) {
  {
    auto writer = open(0, 100, 0);
    writer.run_begins(0, 1 * a_second, 1, 5);
  }
  const auto file = open_file(path_, O_WRONLY | O_APPEND);
  ASSERT_TRUE(write_all(*file, "torn"));
  auto writer = open(70, 999, 5 * a_second);
  EXPECT_EQ(writer.position(0), 100U) << "the header that is there counts";
  writer.batch(80, 6 * a_second);
  const std::vector<Mark> expected = {{100, 1 * a_second, 1, 5, MarkKind::run},
                                      {170, 5 * a_second, 1, 5, MarkKind::resumed},
                                      {180, 6 * a_second, 1, 5, MarkKind::batch}};
  EXPECT_EQ(index().marks(), expected);
}

TEST_F(IndexFile, ALogWithoutOneGetsOne) {
  auto writer = open(500, 2000, 5 * a_second);
  EXPECT_EQ(writer.position(0), 2000U);
  EXPECT_EQ(index().base(), 2000U);
  EXPECT_FALSE(index().at(2100)) << "nobody knows";
  EXPECT_EQ(index().at(2500)->time_us, 5 * a_second);
}

TEST_F(IndexFile, ALogThatWasCutGetsPositionsThatNothingHadBefore) {
  {
    auto writer = open(0, 0, 0);
    writer.batch(0, 1 * a_second);
    writer.batch(1000, 2 * a_second);
    writer.cut(1500, 0, 3 * a_second);
    EXPECT_EQ(writer.position(0), 1500U);
    writer.batch(300, 4 * a_second);
  }
  // And while nobody looked.
  auto writer = open(100, 0, 9 * a_second);
  EXPECT_EQ(writer.position(100), 1800U);
  EXPECT_EQ(index().base(), 1700U);
  EXPECT_EQ(index().at(1800)->kind, MarkKind::resumed);
}

TEST_F(IndexFile, CostsNoMoreThanAHundredthOfTheLog) {
  auto writer = open(0, 0, 0);
  std::uint64_t offset = 0;
  for (std::int64_t i = 0; i < 40'000; ++i) {
    writer.batch(offset, i * a_second / 10);
    offset += 500;
  }
  EXPECT_LE(size(), offset / 100 + mark_size);
  EXPECT_GE(size(), offset / 100 - 2 * mark_size);
}

TEST_F(IndexFile, AnotherSizeOfTheTerminalIsMarkedWhereItWasOnce) {
  auto writer = open(0, 100, a_second);
  writer.run_begins(0, 2 * a_second, 7, 0xabc);
  writer.resized(50, 3 * a_second);
  writer.resized(50, 4 * a_second);
  writer.batch(50, 5 * a_second);
  writer.resized(60, 6 * a_second);
  const std::vector<Mark> expected = {{100, 2 * a_second, 7, 0xabc, MarkKind::run},
                                      {150, 3 * a_second, 7, 0xabc, MarkKind::resized},
                                      {150, 5 * a_second, 7, 0xabc, MarkKind::batch},
                                      {160, 6 * a_second, 7, 0xabc, MarkKind::resized}};
  EXPECT_EQ(index().marks(), expected);
}

TEST_F(IndexFile, OneThatIsDearStillGetsAMarkAMinute) {
  auto writer = open(0, 0, 0);
  for (std::int64_t i = 1; i <= 36'000; ++i) writer.batch(static_cast<std::uint64_t>(i), i * a_second);
  const std::size_t before = std::size_t{64} << 10U;
  EXPECT_GT(size(), before + 500 * mark_size);
  EXPECT_LT(size(), before + 600 * mark_size);
}

// Its manager was killed before it could mark what came, or was not there.
TEST_F(IndexFile, WhatARunWroteUnmarkedIsMarkedAsItsOwn) {
  open(0, 0, a_second).run_begins(0, a_second, 1, 11);
  const RunStart began{.position = 40, .time_us = 5 * a_second, .run = 2, .nonce = 22};
  const auto marks = marks_after(100, began);
  ASSERT_EQ(marks.size(), 3U);
  EXPECT_EQ(marks[1], (Mark{40, 5 * a_second, 2, 22, MarkKind::run}));
  EXPECT_EQ(marks[2], (Mark{100, 9 * a_second, 2, 22, MarkKind::resumed}));
  EXPECT_EQ(marks_after(100, began).size(), 3U) << "once";
}

TEST_F(IndexFile, WhatIsMarkedAsAnothersStaysSo) {
  auto writer = open(0, 0, a_second);
  writer.run_begins(0, a_second, 1, 11);
  writer.run_begins(60, 2 * a_second, 7, 77);
  const auto marks = marks_after(100, {.position = 40, .time_us = a_second, .run = 2, .nonce = 22});
  ASSERT_EQ(marks.size(), 3U);
  EXPECT_EQ(marks[1].run, 7U);
  EXPECT_EQ(marks[2].kind, MarkKind::resumed);
}

TEST_F(IndexFile, ARunThatHasWrittenNothingYetIsNotMarked) {
  open(0, 0, a_second).run_begins(0, a_second, 1, 11);
  const auto marks = marks_after(100, {.position = 100, .time_us = a_second, .run = 2, .nonce = 22});
  ASSERT_EQ(marks.size(), 2U);
  EXPECT_EQ(marks[1].run, 1U);
}

TEST_F(IndexFile, InANewFileItHasBegunAtTheBeginning) {
  open(0, 500, a_second);
  const auto marks = marks_after(100, {.position = 40, .time_us = a_second, .run = 2, .nonce = 22});
  ASSERT_EQ(marks.size(), 2U);
  EXPECT_EQ(marks[0], (Mark{500, a_second, 2, 22, MarkKind::run}));
}

TEST(LogIndexWriter, HoldsNothingOpenAndMarksOnlyItsOwnFile) {
  const std::string path = testing::TempDir() + "index-closed-" + std::to_string(::getpid());
  auto writer = IndexWriter::open(path, 0, 0, a_second);
  ASSERT_TRUE(writer);
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    EXPECT_NE(std::filesystem::read_symlink(entry.path(), gone).string(), path);
  }
  writer->batch(0, 2 * a_second);
  EXPECT_EQ(LogIndex::read(path)->marks().size(), 1U);
  const std::string old = path + ".1";  // kept, so that the new file has another inode
  ASSERT_EQ(::rename(path.c_str(), old.c_str()), 0);
  ASSERT_TRUE(IndexWriter::open(path, 0, 0, a_second));
  writer->batch(100, 20 * a_second);
  EXPECT_TRUE(LogIndex::read(path)->marks().empty()) << "of another log";
  EXPECT_EQ(LogIndex::read(old)->marks().size(), 1U);
  (void)::unlink(path.c_str());
  (void)::unlink(old.c_str());
}

TEST(LogIndexWriter, WhatCouldNotBeMarkedIsMarkedBeforeTheNext) {
  const std::string path = testing::TempDir() + "index-owed-" + std::to_string(::getpid());
  auto writer = IndexWriter::open(path, 0, 0, a_second);
  ASSERT_TRUE(writer);
  writer->batch(0, 2 * a_second);
  const std::string away = path + ".away";  // as when there is no descriptor for it
  ASSERT_EQ(::rename(path.c_str(), away.c_str()), 0);
  writer->cut(100, 40, 3 * a_second);
  writer->run_begins(40, 4 * a_second, 7, 8);
  writer->run_begins(40, 5 * a_second, 8, 9);
  ASSERT_EQ(::rename(away.c_str(), path.c_str()), 0);
  writer->batch(50, 9 * a_second);
  const auto index = LogIndex::read(path);
  ASSERT_TRUE(index);
  EXPECT_EQ(index->base(), 60U);
  ASSERT_EQ(index->marks().size(), 2U);
  EXPECT_EQ(index->marks()[0], (Mark{100, 5 * a_second, 8, 9, MarkKind::run}));
  EXPECT_EQ(index->marks()[1].position, 110U);
  (void)::unlink(path.c_str());
}

}  // namespace
}  // namespace usvc
