#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/caller.h"
#include "job/limits.h"
#include "job/names.h"
#include "job/options.h"

namespace usvc {
namespace {

std::string kernel_directory() {
  std::string path(PATH_MAX, '\0');
  EXPECT_NE(::getcwd(path.data(), path.size()), nullptr);
  return path.substr(0, path.find('\0'));
}

class WithPwd {
 public:
  explicit WithPwd(const std::string& value) {
    const char* before = std::getenv("PWD");
    if (before != nullptr) before_ = before;
    ::setenv("PWD", value.c_str(), 1);
  }
  ~WithPwd() { ::setenv("PWD", before_.c_str(), 1); }
  WithPwd(const WithPwd&) = delete;
  WithPwd& operator=(const WithPwd&) = delete;

 private:
  std::string before_ = "/";
};

TEST(CliCaller, PwdIsTakenOnlyWhereItIsTrue) {
  const std::string here = kernel_directory();
  const std::string link = testing::TempDir() + "usvc-pwd-" + std::to_string(::getpid());
  ASSERT_EQ(::symlink(here.c_str(), link.c_str()), 0);
  {
    const WithPwd pwd(link);
    EXPECT_EQ(caller_directory().value(), link);
  }
  for (const std::string& lie : {std::string("/"), std::string("."), here + "/.", link + "-not", std::string()}) {
    const WithPwd pwd(lie);
    EXPECT_EQ(caller_directory().value(), here) << lie;
  }
  EXPECT_EQ(::unlink(link.c_str()), 0);
}

TEST(CliCaller, SettingsAreValidEntries) {
  const mode_t before = ::umask(0027);
  const auto entries = caller_settings();
  EXPECT_EQ(::umask(before), 0027U) << "looking must not change it";
  std::size_t limits = 0;
  for (const auto& entry : entries) {
    const Option* option = find_option(entry.key);
    ASSERT_NE(option, nullptr) << entry.key;
    EXPECT_TRUE(check_value(*option, entry.value)) << entry.key << " = " << entry.value;
    if (entry.key == "umask") {
      EXPECT_EQ(entry.value, "0027");
    }
    limits += entry.key == "limit" ? 1 : 0;
  }
  EXPECT_EQ(limits, all_limits().size());
}

TEST(CliCaller, EnvFile) {
  const auto good = parse_env_file(
      "# comment\n\nA=1\n  B=two words \nC=\nD=a=b\nexport E=\"x\\ny\" # z\nF='$a \"b\"'\nG=h#i # j\n", "f");
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, (std::vector<std::string>{"A=1", "B=two words", "C=", "D=a=b", "E=x\ny", "F=$a \"b\"", "G=h#i"}));
  const auto open = parse_env_file("A=\"x\n", "f.env");
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().message(), "f.env:1: a quote in it is not closed");
  const auto bad = parse_env_file("A=1\nnonsense\n", "f.env");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message(), "f.env:2: this line is no K=V (comments begin with #)");
  for (const char* text : {"", "A", "=1"}) EXPECT_FALSE(check_assignment(text)) << text;
  EXPECT_FALSE(check_assignment({"A=1\0", 4}));
}

}  // namespace
}  // namespace usvc
