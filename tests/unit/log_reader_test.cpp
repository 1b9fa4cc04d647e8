#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "base/files.h"
#include "base/lines.h"
#include "base/watch.h"
#include "log/reader.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

class LogReader : public testing::Test {
 protected:
  void append(const std::string& text, const std::string& path) {
    const auto file = open_file(path, O_WRONLY | O_CREAT | O_APPEND);
    ASSERT_TRUE(file);
    ASSERT_TRUE(write_all(*file, text));
  }
  void append(const std::string& text) { append(text, path_); }

  TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
  const std::string path_ = dir_ + "/web.log";
};

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
