#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "terminal/history_file.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

class HistoryFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return directory_.path() + "/history"; }
  [[nodiscard]] std::string text() const { return read_file(path(), 1U << 30U).value_or(""); }

 private:
  TemporaryDirectory directory_;
};

TEST_F(HistoryFileTest, KeepsWhatIsAdded) {
  EXPECT_TRUE(HistoryFile(path()).load().value().empty());
  ASSERT_TRUE(HistoryFile(path()).add("status"));
  ASSERT_TRUE(HistoryFile(path()).add("log 'web-*'"));
  EXPECT_EQ(HistoryFile(path()).load().value(), (std::vector<std::string>{"status", "log 'web-*'"}));
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(HistoryFileTest, LeavesOutWhatIsNotToBeKept) {
  for (const std::string& line :
       {std::string(" secret"), std::string(), std::string("a\nb"), std::string(HistoryFile::longest_line + 1, 'x')}) {
    ASSERT_TRUE(HistoryFile(path()).add(line));
  }
  EXPECT_EQ(text(), "");
}

TEST_F(HistoryFileTest, IsBounded) {
  std::string lines;
  const std::size_t many = 2 * HistoryFile::most_lines + 1;
  for (std::size_t i = 0; i < many; ++i) lines += "jobs " + std::to_string(i) + "\n";
  ASSERT_TRUE(write_file_atomically(path(), lines, Flush::no));
  const auto loaded = HistoryFile(path()).load().value();
  EXPECT_EQ(loaded.size(), HistoryFile::most_lines);
  EXPECT_EQ(loaded.back(), "jobs " + std::to_string(many - 1));
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text(), '\n')), HistoryFile::most_lines);
}

TEST_F(HistoryFileTest, NothingIsLostThatIsAddedWhileItIsCut) {
  std::string lines;
  for (std::size_t i = 0; i < 2 * HistoryFile::most_lines + 1; ++i) lines += "old\n";
  ASSERT_TRUE(write_file_atomically(path(), lines, Flush::no));
  constexpr int added = 100;
  {
    const std::jthread adder([this] {
      for (int i = 0; i < added; ++i) EXPECT_TRUE(HistoryFile(path()).add("new"));
    });
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(HistoryFile(path()).load());
  }
  const auto loaded = HistoryFile(path()).load().value();
  EXPECT_EQ(std::ranges::count(loaded, "new"), added);
}

TEST_F(HistoryFileTest, OneThatCannotBeReadIsTold) {
  ASSERT_EQ(::mkdir(path().c_str(), 0700), 0);
  EXPECT_FALSE(HistoryFile(path()).load());
  EXPECT_FALSE(HistoryFile(path()).add("status"));
}

}  // namespace
}  // namespace usvc
