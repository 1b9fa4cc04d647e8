#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/files.h"
#include "journal/reader.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

class JournalReaderTest : public testing::Test {
 protected:
  std::string path(int number) const { return fmt::format("{}/{:08}.jsonl", dir_, number); }
  void append(int number, const std::string& text) {
    const auto file = open_file(path(number), O_WRONLY | O_CREAT | O_APPEND);
    ASSERT_TRUE(file);
    ASSERT_TRUE(write_all(*file, text));
  }
  static std::string line(double t) { return fmt::format("{{\"t\":{},\"event\":\"e\"}}\n", t); }

  // The times of the events that come, as "1 2 3 ".
  std::string read(JournalReader& reader) {
    std::string seen;
    EXPECT_TRUE(reader.read(collect(seen)));
    return seen;
  }
  static JournalReader::Sink collect(std::string& seen) {
    return [&seen](const Event& event, std::string_view) -> Status {
      seen += fmt::format("{:.0f} ", event.t);
      return {};
    };
  }
  JournalReader reader() {
    return {dir_, [this](const std::string& message) { warnings_.push_back(message); }};
  }

  TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
  std::vector<std::string> warnings_;
};

TEST(JournalSegment, Number) {
  const std::pair<std::string, std::optional<std::uint64_t>> cases[] = {
      {"00000001.jsonl", 1},  {"00012345.jsonl", 12345}, {"123456789.jsonl", 123456789}, {"1.jsonl", {}},
      {"00000000.jsonl", {}}, {"0000000x.jsonl", {}},    {"00000001.jsonl.tmp", {}},     {".jsonl", {}},
      {"-0000001.jsonl", {}}};
  for (const auto& [name, number] : cases) EXPECT_EQ(segment_number(name), number) << name;
}

TEST_F(JournalReaderTest, ReadsSegmentsInOrderAndOnlyOnce) {
  append(2, line(3));
  append(1, line(1) + line(2));
  append(10, line(4));
  append(11, "");
  ASSERT_TRUE(write_file_atomically(dir_ + "/notes.txt", line(9)));
  auto journal = reader();
  EXPECT_EQ(read(journal), "1 2 3 4 ");
  EXPECT_EQ(read(journal), "");
  append(11, line(5));
  EXPECT_EQ(read(journal), "5 ");
  append(12, line(6));
  EXPECT_EQ(read(journal), "6 ");
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(JournalReaderTest, NoJournalIsAnEmptyOne) {
  JournalReader journal(dir_ + "/none", [](const std::string&) {});
  EXPECT_TRUE(journal.skip_before(5));
  EXPECT_TRUE(journal.read([](const Event&, std::string_view) -> Status { return fail("none"); }));
}

TEST_F(JournalReaderTest, ALineComesWhenItIsWhole) {
  const std::string whole = line(1);
  auto journal = reader();
  for (const char c : whole.substr(0, whole.size() - 1)) {
    append(1, std::string(1, c));
    EXPECT_EQ(read(journal), "");
  }
  append(1, "\n");
  EXPECT_EQ(read(journal), "1 ");
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(JournalReaderTest, GarbageIsSkippedAndNamedOnce) {
  append(1, line(1) + "garbage\n" + "{\"t\":2}\n" + line(2) + "{\"t\":\"x\",\"event\":\"e\"}\n" + "{\"torn");
  append(2, line(3) + std::string("\xff\0\n", 3));
  auto journal = reader();
  EXPECT_EQ(read(journal), "1 2 3 ");
  ASSERT_EQ(warnings_.size(), 2U);
  EXPECT_TRUE(warnings_[0].starts_with(path(1) + ":2: ")) << warnings_[0];
  EXPECT_TRUE(warnings_[1].starts_with(path(2) + ":2: ")) << warnings_[1];
}

TEST_F(JournalReaderTest, ATornEndIsNamedOnceAHigherSegmentExists) {
  append(1, line(1) + "{\"t\":2");
  auto journal = reader();
  EXPECT_EQ(read(journal), "1 ");
  EXPECT_TRUE(warnings_.empty()) << "it may still be being written";
  append(2, line(3));
  EXPECT_EQ(read(journal), "3 ");
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_EQ(warnings_[0], path(1) + ":2: line skipped: torn");
}

TEST_F(JournalReaderTest, ASegmentInHandMayBeRemoved) {
  append(1, line(1));
  auto journal = reader();
  EXPECT_EQ(read(journal), "1 ");
  append(1, line(2));
  append(2, line(3));
  ASSERT_EQ(::unlink(path(1).c_str()), 0);
  EXPECT_EQ(read(journal), "2 3 ");
}

TEST_F(JournalReaderTest, SkipsWholeOldSegments) {
  append(1, line(10));
  append(2, line(20) + line(25));
  append(3, line(30));
  const std::pair<double, std::string> cases[] = {
      {5, "10 20 25 30 "}, {22, "20 25 30 "}, {30, "20 25 30 "}, {31, "30 "}, {20, "10 20 25 30 "}};
  for (const auto& [t, expected] : cases) {
    auto journal = reader();
    ASSERT_TRUE(journal.skip_before(t));
    EXPECT_EQ(read(journal), expected) << t;
  }
}

TEST_F(JournalReaderTest, AFailingSinkEndsIt) {
  append(1, line(1) + line(2));
  auto journal = reader();
  int calls = 0;
  const auto status = journal.read([&](const Event&, std::string_view) -> Status {
    ++calls;
    return fail("full");
  });
  EXPECT_FALSE(status);
  EXPECT_EQ(calls, 1);
}

TEST_F(JournalReaderTest, FollowMissesNothing) {
  append(1, line(1));
  auto journal = reader();
  auto watch = Watch::create();
  ASSERT_TRUE(watch);
  std::string seen;
  ASSERT_TRUE(journal.follow(*watch, collect(seen)));
  EXPECT_EQ(seen, "1 ");
  while (watch->wait(Duration(0)).value()) {
  }
  append(1, line(2));
  ASSERT_TRUE(watch->wait(std::chrono::seconds(5)).value());
  ASSERT_TRUE(journal.follow(*watch, collect(seen)));
  append(2, line(3));
  ASSERT_TRUE(watch->wait(std::chrono::seconds(5)).value());
  ASSERT_TRUE(journal.follow(*watch, collect(seen)));
  while (watch->wait(Duration(0)).value()) {
  }
  append(2, line(4));
  ASSERT_TRUE(watch->wait(std::chrono::seconds(5)).value()) << "the new segment is not watched";
  ASSERT_TRUE(journal.follow(*watch, collect(seen)));
  EXPECT_EQ(seen, "1 2 3 4 ");
}

}  // namespace
}  // namespace usvc
