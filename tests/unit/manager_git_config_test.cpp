#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/files.h"
#include "manager/git_config.h"

namespace usvc {
namespace {

TEST(GitConfig, AnErrorIsOneLineWhateverTheFileHolds) {
  const GitLibrary git;
  std::string dir = "/tmp/usvc-git-XXXXXX";
  ASSERT_NE(::mkdtemp(dir.data()), nullptr);
  const std::string path = dir + "/web-1.conf";
  ASSERT_TRUE(write_file_atomically(path, "[core]\n\tcmd = \"a\\x \x1b[31m\t\"\n", Flush::no));
  const auto entries = read_git_config(path);
  ASSERT_FALSE(entries);
  EXPECT_TRUE(entries.error().message().starts_with("cannot read " + path + ": ")) << entries.error().message();
  EXPECT_EQ(entries.error().message().find_first_of("\x1b\t\n"), std::string::npos) << entries.error().message();
  EXPECT_TRUE(remove_all(dir));
}

}  // namespace
}  // namespace usvc
