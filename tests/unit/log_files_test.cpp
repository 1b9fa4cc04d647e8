// Which files a log consists of.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>

#include "base/files.h"
#include "log/files.h"
#include "log_testing.h"

namespace usvc {
namespace {

TEST(LogNames, OfRotatedFiles) {
  struct Case {
    std::string name;
    std::uint32_t number;  // 0: it is none
    RotatedKind kind = RotatedKind::plain;
  };
  const Case cases[] = {{"web.log.000007", 7},
                        {"web.log.000007.zst", 7, RotatedKind::compressed},
                        {"web.log.000007.idx", 7, RotatedKind::index},
                        {"web.log.000007.zst.tmp", 7, RotatedKind::unfinished},
                        {"web.log.1000000", 1'000'000},
                        {"web.log.999999999", 999'999'999},
                        {"web.log", 0},
                        {"web.log.idx", 0},
                        {"web.log.", 0},
                        {"web.log.7", 0},
                        {"web.log.0000007", 0},
                        {"web.log.000000", 0},
                        {"web.log.1000000000", 0},
                        {"web.log.000007.gz", 0},
                        {"web.log.000007x", 0},
                        {"web.log.2026-11-22T100000", 0},
                        {"web.err.log.000007", 0},
                        {"web-1.log.000007", 0},
                        {"", 0}};
  for (const auto& c : cases) {
    const auto parsed = parse_rotated_name(c.name, "web.log");
    ASSERT_EQ(parsed.has_value(), c.number > 0) << c.name;
    if (!parsed) continue;
    EXPECT_EQ(parsed->number, c.number) << c.name;
    EXPECT_EQ(parsed->kind, c.kind) << c.name;
  }
}

TEST(LogNames, OfWhatLiesBeside) {
  EXPECT_EQ(index_of("/x/web.log"), "/x/web.log.idx");
  EXPECT_EQ(error_log_of("/x/web.log"), "/x/web.err.log");
  EXPECT_EQ(error_log_of("/x/out.txt"), "/x/out.txt.err");
  for (const char* log : {"/x/web.log", "/x/out.txt", "/x/.log"}) {
    EXPECT_FALSE(is_error_log_name(log)) << log;
    EXPECT_TRUE(is_error_log_name(error_log_of(log))) << log;
  }
}

class LogFiles : public testing_log::LogDirectory {
 protected:
  void make(const std::string& path) {
    ASSERT_TRUE(ensure_private_dir(path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(open_file(path, O_WRONLY | O_CREAT));
  }
  std::vector<std::string> paths(const std::string& log) {
    std::vector<std::string> found;
    const auto files = log_files(layout_, log);
    EXPECT_TRUE(files);
    for (const auto& file : *files) found.push_back(file.path);
    return found;
  }
};

TEST_F(LogFiles, TheLiveOneIsThereEvenWhenItIsNot) {
  const std::string& log = log_;
  EXPECT_EQ(paths(log), std::vector<std::string>{log});
  const auto files = log_files(layout_, log);
  EXPECT_EQ(files->front().number, 0U);
  EXPECT_EQ(files->front().index_path, log + ".idx");
  EXPECT_EQ(next_rotated(layout_, log)->path, layout_.old_logs_dir + "/web.log.000001");
}

TEST_F(LogFiles, OldestFirstAndEachOnce) {
  const std::string& log = log_;
  const std::string old = layout_.old_logs_dir + "/web.log.";
  for (const char* end : {"000010", "000009", "000009.zst", "000002.zst", "000002.idx", "000009.idx", "000011.zst.tmp",
                          "2026-11-22T100000", "000012.idx"}) {
    make(old + end);
  }
  make(layout_.old_logs_dir + "/web-1.log.000004");
  const std::vector<std::string> expected = {old + "000002.zst", old + "000009.zst", old + "000010", log};
  EXPECT_EQ(paths(log), expected);
  const auto files = log_files(layout_, log);
  EXPECT_EQ((*files)[0].index_path, old + "000002.idx");
  EXPECT_TRUE((*files)[0].compressed);
  EXPECT_FALSE((*files)[2].compressed);
  EXPECT_EQ((*files)[2].number, 10U);
  const auto next = next_rotated(layout_, log);
  EXPECT_EQ(next->path, old + "000013") << "an index must not be taken for another file's";
  EXPECT_EQ(next->index_path, old + "000013.idx");
}

TEST_F(LogFiles, OfALogElsewhereLieBesideIt) {
  const std::string log = dir_ + "/mine/out.txt";
  make(log + ".000001");
  const std::vector<std::string> expected = {log + ".000001", log};
  EXPECT_EQ(paths(log), expected);
  EXPECT_EQ(next_rotated(layout_, log)->path, log + ".000002");
}

}  // namespace
}  // namespace usvc
