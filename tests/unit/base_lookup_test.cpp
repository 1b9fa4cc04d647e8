#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "base/files.h"
#include "base/lookup.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

class CliLookup : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mkdir((dir_ + "/bin").c_str(), 0700), 0);
    ASSERT_EQ(::mkdir((dir_ + "/bin2").c_str(), 0700), 0);
    add("worker", "#!/bin/sh\n", 0700);
    add("plain", "#!/bin/sh\n", 0600);
    add("words", "not for execution\n", 0600);
    add("bin/tool",
        "\x7f"
        "ELF",
        0700);
    add("bin/locked", "#!/bin/sh\n", 0600);
    add("bin/both", "#!/bin/sh\n", 0600);
    add("bin2/both", "#!/bin/sh\n", 0700);
    add("dos", "#!/bin/sh\r\necho\r\n", 0700);
    add("orphan", "#! /no/such/python3 -u\n", 0700);
    path_ = dir_ + "/bin:" + dir_ + "/bin2";
  }

  void add(const std::string& name, const std::string& text, mode_t mode) {
    ASSERT_TRUE(write_file_atomically(dir_ + "/" + name, text));
    ASSERT_EQ(::chmod((dir_ + "/" + name).c_str(), mode), 0);
  }
  std::string message(const std::string& word) {
    const auto found = find_command(word, dir_, path_);
    return found ? "found " + *found : found.error().message();
  }

  TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
  std::string path_;
};

TEST_F(CliLookup, FindsAsAShellDoes) {
  const std::pair<std::string, std::string> cases[] = {{"tool", "/bin/tool"},
                                                       {"both", "/bin2/both"},
                                                       {"./worker", "/worker"},
                                                       {"././/worker", "/worker"},
                                                       {"bin/../worker", "/bin/../worker"},
                                                       {"bin/tool", "/bin/tool"}};
  for (const auto& [word, expected] : cases) EXPECT_EQ(message(word), "found " + dir_ + expected);
  EXPECT_EQ(message(dir_ + "/worker"), "found " + dir_ + "/worker");
  path_ = ":" + dir_ + "/bin";  // an empty part is the current directory
  EXPECT_EQ(message("worker"), "found " + dir_ + "/worker");
  path_ = "bin";
  EXPECT_EQ(message("tool"), "found " + dir_ + "/bin/tool");
}

TEST_F(CliLookup, SaysWhyNot) {
  const std::pair<std::string, std::string> cases[] = {
      {"worker", "cannot start 'worker': command not found (./worker exists; start it as ./worker)"},
      {"nosuch", "cannot start 'nosuch': command not found"},
      {"./nosuch", "cannot start ./nosuch: No such file or directory"},
      {"./plain", "cannot start ./plain: Permission denied (chmod +x ./plain)"},
      {"./words", "cannot start ./words: Permission denied"},
      {"./bin", "cannot start ./bin: it is a directory"},
      {"bin", "cannot start 'bin': command not found"},
      {"locked",
       "cannot start 'locked': " + dir_ + "/bin/locked: Permission denied (chmod +x " + dir_ + "/bin/locked)"},
      {"./orphan", "cannot start ./orphan: its interpreter /no/such/python3 does not exist (see its first line)"},
      {"./dos",
       "cannot start ./dos: its first line ends as on Windows, so its interpreter is not found "
       "(sed -i 's/\\r$//' ./dos)"},
  };
  for (const auto& [word, expected] : cases) EXPECT_EQ(message(word), expected);
  const auto empty = find_command("", dir_, path_);
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().kind(), ErrorKind::usage);
}

TEST(CliScript, OnlyScriptsAreLookedInto) {
  EXPECT_FALSE(
      script_trouble("\x7f"
                     "ELF\r\n",
                     "x"));
  EXPECT_FALSE(script_trouble("", "x"));
  EXPECT_FALSE(script_trouble("#!/bin/sh", "x"));
  EXPECT_FALSE(script_trouble("#!  /bin/sh -e\n\r\n", "x"));
  EXPECT_TRUE(script_trouble("#!\n", "x"));
  EXPECT_TRUE(script_trouble("#!/no/such\n", "x"));
}

}  // namespace
}  // namespace usvc
