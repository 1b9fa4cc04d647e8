#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "manager/conf_watch.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

using EditedNames = std::set<std::string>;

TEST(ConfWatch, NamesTheJobsWhoseConfWasEdited) {
  const TemporaryDirectory directory;
  const std::string& dir = directory.path();
  const auto write = [&](const std::string& name) {
    const auto file = open_file(dir + "/" + name, O_WRONLY | O_CREAT);
    ASSERT_TRUE(file);
    EXPECT_TRUE(write_all(*file, "x\n"));
  };
  ConfWatch watch = ConfWatch::create(dir);
  write("web.conf");
  EXPECT_EQ(watch.take(), std::nullopt) << "what came before the first look is not known";
  EXPECT_EQ(watch.take(), EditedNames{});
  write("web.conf");
  write("web.env");
  EXPECT_EQ(watch.take(), EditedNames{"web"});
  ASSERT_TRUE(write_file_atomically(dir + "/a.conf", "y\n", Flush::no));
  EXPECT_TRUE(watch.take().value_or(EditedNames{}).contains("a"));
  ASSERT_TRUE(remove_all(dir + "/a.conf"));
  EXPECT_EQ(watch.take(), EditedNames{"a"});
  EXPECT_EQ(watch.take(), EditedNames{});
  // Another directory in its place is another's business.
  ASSERT_TRUE(remove_all(dir));
  EXPECT_EQ(watch.take(), std::nullopt);
  EXPECT_EQ(watch.take(), std::nullopt);
}

TEST(ConfWatch, WithoutADirectoryNothingIsKnown) {
  ConfWatch watch = ConfWatch::create("/nosuch/directory");
  EXPECT_EQ(watch.take(), std::nullopt);
  EXPECT_EQ(watch.take(), std::nullopt);
}

}  // namespace
}  // namespace usvc
