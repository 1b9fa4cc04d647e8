#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/files.h"
#include "base/lines.h"
#include "base/watch.h"
#include "log/reader.h"

namespace usvc {
namespace {

class LogReader : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "usvc-log-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    path_ = dir_ + "/web.log";
  }
  void TearDown() override { EXPECT_TRUE(remove_all(dir_)); }

  void append(const std::string& text, const std::string& path) {
    const auto file = open_file(path, O_WRONLY | O_CREAT | O_APPEND);
    ASSERT_TRUE(file);
    ASSERT_TRUE(write_all(*file, text));
  }
  void append(const std::string& text) { append(text, path_); }
  static std::string all_of(LogCursor& cursor) {
    std::string text;
    for (;;) {
      const auto more = cursor.read(text);
      EXPECT_TRUE(more) << more.error().message();
      if (!more || !*more) return text;
    }
  }
  std::string tail(std::optional<std::size_t> lines) {
    auto cursor = LogCursor::at_tail(path_, lines);
    EXPECT_TRUE(cursor);
    return all_of(*cursor);
  }

  std::string dir_;
  std::string path_;
};

TEST_F(LogReader, Tail) {
  struct Case {
    std::string text;
    std::size_t lines;
    std::string expected;
  };
  const Case cases[] = {
      {"", 5, ""},
      {"a\nb\nc\n", 2, "b\nc\n"},
      {"a\nb\nc", 2, "b\nc"},
      {"a\nb\nc\n", 3, "a\nb\nc\n"},
      {"a\nb\n", 9, "a\nb\n"},
      {"a\nb\n", 0, ""},
      {"\n\n\n", 2, "\n\n"},
      {"no end", 1, "no end"},
  };
  for (const auto& c : cases) {
    ASSERT_TRUE(write_file_atomically(path_, c.text));
    EXPECT_EQ(tail(c.lines), c.expected) << c.text << " " << c.lines;
    EXPECT_EQ(tail(std::nullopt), c.text);
  }
}

TEST_F(LogReader, TailAcrossBlocks) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + " some text that fills the blocks\n";
  ASSERT_TRUE(write_file_atomically(path_, text));
  EXPECT_EQ(tail(std::nullopt), text);
  EXPECT_EQ(tail(20001), text);
  for (const int lines : {1, 100, 1990, 2100, 5000, 19999, 20000}) {
    const std::string expected = text.substr(text.find("\n" + std::to_string(20000 - lines) + " ") + 1);
    EXPECT_EQ(tail(static_cast<std::size_t>(lines)), lines == 20000 ? text : expected) << lines;
  }
}

TEST_F(LogReader, AFileThatIsNotThereYet) {
  auto cursor = LogCursor::at_tail(path_, 10);
  ASSERT_TRUE(cursor);
  EXPECT_EQ(all_of(*cursor), "");
  append("first\n");
  EXPECT_EQ(all_of(*cursor), "first\n");
}

TEST_F(LogReader, FollowsGrowthFromAnOffset) {
  append("0123456789");
  LogCursor cursor(path_, 4);
  EXPECT_EQ(all_of(cursor), "456789");
  EXPECT_EQ(all_of(cursor), "");
  append("more");
  EXPECT_EQ(all_of(cursor), "more");
}

TEST_F(LogReader, AReplacedFileIsReadToItsEndFirst) {
  append("old 1\n");
  LogCursor cursor(path_, 0);
  EXPECT_EQ(all_of(cursor), "old 1\n");
  ASSERT_EQ(std::rename(path_.c_str(), (path_ + ".1").c_str()), 0);
  append("old 2\n", path_ + ".1");
  EXPECT_EQ(all_of(cursor), "old 2\n");
  append("old 3\n", path_ + ".1");
  append("new 1\n");
  EXPECT_EQ(all_of(cursor), "old 3\nnew 1\n");
  append("new 2\n");
  EXPECT_EQ(all_of(cursor), "new 2\n");
}

TEST_F(LogReader, ATruncatedFileIsReadFromItsBeginning) {
  append("a long first line\n");
  LogCursor cursor(path_, 0);
  EXPECT_EQ(all_of(cursor), "a long first line\n");
  ASSERT_EQ(::truncate(path_.c_str(), 0), 0);
  append("new\n");
  EXPECT_EQ(all_of(cursor), "new\n");
}

TEST_F(LogReader, Range) {
  append("0123456789");
  EXPECT_EQ(read_range(path_, 0, 100).value(), "0123456789");
  EXPECT_EQ(read_range(path_, 7, 100).value(), "789");
  EXPECT_EQ(read_range(path_, 0, 3).value(), "789");
  EXPECT_EQ(read_range(path_, 99, 4).value(), "6789");  // the log has begun anew since
  EXPECT_EQ(read_range(dir_ + "/none", 0, 4).value(), "");
}

TEST_F(LogReader, AWatchTellsOfGrowthAndReplacement) {
  append("x");
  auto watch = Watch::create();
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->add_dir(dir_));
  ASSERT_TRUE(watch->add_file(path_));
  ASSERT_TRUE(watch->add_file(dir_ + "/not-yet"));
  EXPECT_FALSE(watch->wait(Duration(0)).value());
  append("y");
  EXPECT_TRUE(watch->wait(std::chrono::seconds(5)).value());
  EXPECT_FALSE(watch->wait(Duration(0)).value());
  append("z", dir_ + "/not-yet");
  EXPECT_TRUE(watch->wait(std::chrono::seconds(5)).value());
}

TEST(LineSplitter, CutsAndKeepsTheRest) {
  LineSplitter lines;
  EXPECT_TRUE(lines.feed("a").empty());
  EXPECT_EQ(lines.rest(), "a");
  const auto& two = lines.feed("b\n\nc");
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0], "ab");
  EXPECT_EQ(two[1], "");
  EXPECT_EQ(lines.rest(), "c");
  ASSERT_EQ(lines.feed("\n").size(), 1U);
  EXPECT_EQ(lines.rest(), "");
}

}  // namespace
}  // namespace usvc
