// A journal whose disk is full, and what a kill of its writer leaves then.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "journal/writer.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

// A limit on the size of files stands for a full disk: writes beyond it fail, some of them half-way. The spill is a
// file to the kernel as well, so the journal is filled up with empty lines until it is the larger one.
constexpr std::size_t padding = std::size_t{64} << 10U;

class FullDisk {
 public:
  // So much more fits.
  explicit FullDisk(rlim_t room, std::size_t full = padding) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = full + room;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

class JournalWriterTest : public testing::Test {
 protected:
  JournalWriterTest() {
    auto file = Spill::make_file();
    EXPECT_TRUE(file);
    kept_ = std::move(*file);
    pad(padding);
  }
  void pad(std::size_t size) { std::ofstream(segment_path(dir_, 1)) << std::string(size, '\n'); }

  // What a manager does at its start; the keeper has the other descriptor of the spill.
  JournalWriter open() {
    auto writer = JournalWriter::open(dir_, Spill(duplicate(kept_)));
    EXPECT_TRUE(writer) << writer.error().message();
    return std::move(*writer);
  }
  static Event numbered(int number) {
    Event event;
    event.t = 1000 + number;
    event.event = "request";
    event.job = "job";
    event.key = std::to_string(number);
    return event;
  }
  // The numbers that a manager would know of now.
  std::vector<int> folded(const JournalWriter& writer) {
    auto picture = fold_journal(dir_, writer.pending());
    EXPECT_TRUE(picture);
    EXPECT_TRUE(picture->complaints.empty()) << picture->complaints.front();
    std::vector<int> numbers;
    for (const auto& [key, seen] : picture->requests) {
      EXPECT_EQ(seen.jobs.size(), 1U) << key << " is there twice";
      numbers.push_back(std::stoi(key));
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }
  static std::vector<int> up_to(int number) {
    std::vector<int> numbers;
    for (int i = 1; i <= number; ++i) numbers.push_back(i);
    return numbers;
  }

  TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
  Fd kept_;
};

TEST_F(JournalWriterTest, WhatTheDiskDoesNotTakeIsWrittenOnceItDoes) {
  auto writer = open();
  {
    const FullDisk full(100);
    for (int i = 1; i <= 20; ++i) ASSERT_TRUE(writer.append(numbered(i)));
    EXPECT_TRUE(writer.waiting());
    EXPECT_NE(writer.trouble().find("cannot write the journal"), std::string::npos);
  }
  ASSERT_TRUE(writer.flush());
  EXPECT_FALSE(writer.waiting());
  EXPECT_TRUE(writer.trouble().empty());
  EXPECT_EQ(folded(writer), up_to(20));
}

// The writer dies at every size the disk may have: the next one knows all and loses and doubles nothing.
TEST_F(JournalWriterTest, AKilledWritersLinesAreTheNextOnes) {
  for (rlim_t size = 0; size < 400; size += 7) {
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directory(dir_);
    pad(padding);
    {
      auto writer = open();
      const FullDisk full(size);
      for (int i = 1; i <= 5; ++i) ASSERT_TRUE(writer.append(numbered(i)));
    }
    {
      const FullDisk full(size + 3);  // a little more: it gets on with it, and dies again
      auto writer = open();
      EXPECT_EQ(folded(writer), up_to(5)) << size;
      ASSERT_TRUE(writer.append(numbered(6)));
    }
    auto writer = open();
    EXPECT_FALSE(writer.waiting());
    EXPECT_EQ(folded(writer), up_to(6)) << size;
  }
}

// Killed after the last line was written and before the spill was emptied: what it holds must never come again.
TEST_F(JournalWriterTest, WhatWasWrittenAndStillIsInTheSpillDoesNotComeAgain) {
  {
    auto writer = open();
    const FullDisk full(0);
    for (int i = 1; i <= 3; ++i) ASSERT_TRUE(writer.append(numbered(i)));
  }
  const auto content = Spill(duplicate(kept_)).read();
  ASSERT_TRUE(content);
  { auto writer = open(); }
  ASSERT_TRUE(Spill(duplicate(kept_)).add(content->segment, content->offset, content->text));
  auto writer = open();
  EXPECT_TRUE(Spill(duplicate(kept_)).read()->text.empty());
  {
    const FullDisk full(300);
    ASSERT_TRUE(writer.append(numbered(4)));
    ASSERT_TRUE(writer.append(numbered(5)));
  }
  auto next = open();
  EXPECT_EQ(folded(next), up_to(5));
}

TEST_F(JournalWriterTest, HalfALineOfSomebodyElseSwallowsNothing) {
  auto writer = open();
  ASSERT_TRUE(writer.append(numbered(1)));
  std::ofstream(segment_path(dir_, 1), std::ios::app) << R"({"t":1,"jo)";
  ASSERT_TRUE(writer.append(numbered(2)));
  auto picture = fold_journal(dir_);
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->requests.size(), 2U);
}

TEST_F(JournalWriterTest, SomebodyTookTheJournalAwayMeanwhile) {
  {
    auto writer = open();
    const FullDisk full(0);
    for (int i = 1; i <= 3; ++i) ASSERT_TRUE(writer.append(numbered(i)));
  }
  std::ofstream(segment_path(dir_, 7)) << R"({"t":1,"event":"checkp)";
  auto writer = open();
  EXPECT_FALSE(writer.waiting());
  auto picture = fold_journal(dir_);
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->requests.size(), 3U);
}

TEST_F(JournalWriterTest, WithoutASpillALineThatCannotBeWrittenIsRefused) {
  auto writer = JournalWriter::open(dir_);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->append(numbered(1)));
  {
    const FullDisk full(70);  // in the middle of the second line
    EXPECT_FALSE(writer->append(numbered(2)));
    EXPECT_FALSE(writer->waiting());
  }
  ASSERT_TRUE(writer->append(numbered(3)));
  auto picture = fold_journal(dir_);
  ASSERT_TRUE(picture);
  EXPECT_FALSE(picture->requests.contains("2"));
  EXPECT_TRUE(picture->requests.contains("3"));
}

TEST_F(JournalWriterTest, TheSpillHasABound) {
  constexpr std::size_t much = std::size_t{16} << 20U;
  pad(much);
  auto writer = open();
  const FullDisk full(0, much);
  Event large = numbered(1);
  large.message = std::string(1U << 20U, 'x');
  int kept = 0;
  while (kept < 100 && writer.append(large)) ++kept;
  EXPECT_EQ(kept, 7);
}

}  // namespace
}  // namespace usvc
