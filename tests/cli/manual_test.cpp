// The manual as it is installed, read by the programs that show it.
#include <unistd.h>

#include <filesystem>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

class ManualTest : public CliTest {
 protected:
  std::vector<std::string> pages() {
    std::vector<std::string> found;
    const fs::path manual = fs::path(program()).parent_path().parent_path() / "share/man";
    std::error_code none;
    for (const auto& entry : fs::recursive_directory_iterator(manual, none)) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
    EXPECT_GT(found.size(), 20U) << manual;
    return found;
  }
  bool there(const std::string& name) {
    return run_program({"/usr/bin/env", "sh", "-c", "command -v " + name}).status == 0;
  }
};

TEST_F(ManualTest, ManShowsIt) {
  if (!there("man")) GTEST_SKIP() << "there is no man";
  for (const auto& page : pages()) {
    for (const std::string locale : {"C", "C.UTF-8"}) {
      const Output output = run_program({"/usr/bin/env", "man", "--warnings=w", "-l", page},
                                        {.env = {{"MANWIDTH", "80"}, {"LC_ALL", locale}}});
      EXPECT_EQ(output.status, 0) << page << output.err;
      EXPECT_EQ(output.err, "") << page << " " << locale;
      EXPECT_TRUE(contains(without_escapes(output.out), "SEE ALSO")) << page;
    }
  }
}

TEST_F(ManualTest, NeitherGroffNorMandocHasAnythingToComplainOf) {
  const bool groff = there("groff");
  const bool mandoc = there("mandoc");
  if (!groff && !mandoc) GTEST_SKIP() << "there is neither groff nor mandoc";
  for (const auto& page : pages()) {
    if (groff) {
      const Output output = run_program({"/usr/bin/env", "groff", "-ww", "-man", "-Kutf8", "-Tutf8", "-z", page});
      EXPECT_EQ(output.all(), "") << page;
    }
    if (mandoc) {
      const Output output = run_program({"/usr/bin/env", "mandoc", "-Tlint", "-Wwarning", page});
      EXPECT_EQ(output.all(), "") << page;
    }
  }
}

}  // namespace

}  // namespace usvc::test
