// usvc.conf in memory: read again when it has changed, and only then.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/text.h"
#include "manager/settings.h"

namespace usvc {
namespace {

class SettingsFileTest : public testing::Test {
 protected:
  SettingsFileTest() : directory_(std::filesystem::temp_directory_path() / ("usvc-settings-" + random_hex(8))) {
    std::filesystem::create_directory(directory_);
    layout_.settings = directory_ / "usvc.conf";
  }
  ~SettingsFileTest() override { std::filesystem::remove_all(directory_); }
  SettingsFileTest(const SettingsFileTest&) = delete;
  SettingsFileTest& operator=(const SettingsFileTest&) = delete;
  SettingsFileTest(SettingsFileTest&&) = delete;
  SettingsFileTest& operator=(SettingsFileTest&&) = delete;
  void write(const std::string& text) const { std::ofstream(layout_.settings) << text; }

  SettingsFile counted(bool of_one_file = true) {
    return SettingsFile(layout_, [this, of_one_file](const std::string& path) {
      ++reads_;
      std::ifstream file(path);
      std::string word;
      Settings settings;
      if (file >> word) settings.start.emplace_back("word", word);
      return LoadedSettings{settings, of_one_file};
    });
  }

  std::filesystem::path directory_;
  Layout layout_;
  int reads_ = 0;
};

TEST_F(SettingsFileTest, MissingOneIsLookedForAndNotRead) {
  const SettingsFile file = counted();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(file.get()->start.empty());
  EXPECT_EQ(reads_, 1);
  write("new");
  ASSERT_EQ(file.get()->start.size(), 1U);
  EXPECT_EQ(file.get()->start[0].second, "new");
}

TEST_F(SettingsFileTest, ChangeWithinATickIsSeen) {
  const SettingsFile file = counted();
  write("one");
  EXPECT_EQ(file.get()->start.at(0).second, "one");
  write("two");
  EXPECT_EQ(file.get()->start.at(0).second, "two");
}

TEST_F(SettingsFileTest, OneThatStaysAsItIsIsReadOnce) {
  layout_.settings = "/proc/self/exe";  // as old as this program
  struct stat info {};
  ASSERT_EQ(::stat("/proc/self/exe", &info), 0);
  const SettingsFile file = counted();
  const SettingsFile with_others = counted(false);
  for (int i = 0; i < 3; ++i) (void)file.get();
  EXPECT_EQ(reads_, 1);
  for (int i = 0; i < 3; ++i) (void)with_others.get();
  EXPECT_EQ(reads_, 4) << "what it includes may have changed";
}

TEST_F(SettingsFileTest, AnErrorIsLookedAtAgain) {
  layout_.settings = "/proc/self/exe";  // as old as this program
  bool wrong = true;
  const SettingsFile file(layout_, [&](const std::string& /*path*/) {
    return wrong ? LoadedSettings{fail("no descriptors")} : LoadedSettings{Settings()};
  });
  EXPECT_FALSE(file.get());
  wrong = false;
  EXPECT_TRUE(file.get());
}

}  // namespace
}  // namespace usvc
