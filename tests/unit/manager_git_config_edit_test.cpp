#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "manager/git_config.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

class GitConfigEdit : public testing::Test {
 protected:
  struct Row {
    std::string before, after;
  };

  void put(const std::string& text) { ASSERT_TRUE(write_file_atomically(path_, text, Flush::no)); }
  // The file afterwards, or the error.
  std::string set(const std::string& text, const std::string& name, const std::string& value) {
    put(text);
    const auto done = set_git_config(path_, name, value);
    return done ? read_file(path_).value_or("unreadable") : done.error().message();
  }
  std::string unset(const std::string& text, const std::string& name) {
    put(text);
    const auto done = unset_git_config(path_, name);
    return done ? read_file(path_).value_or("unreadable") : done.error().message();
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/web-1.conf";
};

TEST_F(GitConfigEdit, AValueIsReplacedWhereItStands) {
  const std::vector<Row> table = {
      {"# a\n[core]\n\tcmd=1 # b\n\targ = 2", "# a\n[core]\n\tcmd=n # b\n\targ = 2"},
      {"[Core] Cmd  =  \"1\" \\\n 2\t;c\r\n x", "[Core] Cmd  =  n\t;c\r\n x"},
      {"[core]\r\n\tcmd = 1\r\n\targ = 2\r\n", "[core]\r\n\tcmd = n\r\n\targ = 2\r\n"},
      {"[core]\n\tcmd\n", "[core]\n\tcmd = n\n"},
      {"[core]\n\tcmd =\n", "[core]\n\tcmd = n\n"},
      {"[core]\n\tcmd= ; c\n", "[core]\n\tcmd= n ; c\n"},
      {"[core]\n\tcmd = \\\n\n\targ", "[core]\n\tcmd = n\n\targ"},
      {"[x]cmd=1\n[core]cmd=2\n[core \"x\"]cmd=3", "[x]cmd=1\n[core]cmd=n\n[core \"x\"]cmd=3"},
  };
  for (const auto& [before, after] : table) EXPECT_EQ(set(before, "core.cmd", "n"), after) << before;
  EXPECT_EQ(set("[a \"b.c\"]\nk=1", "a.b.c.k", "n"), "[a \"b.c\"]\nk=n");
}

TEST_F(GitConfigEdit, ANewKeyComesLastInItsSection) {
  const std::vector<Row> table = {
      {"", "[core]\n\tcmd = n\n"},
      {"\xef\xbb\xbf", "\xef\xbb\xbf[core]\n\tcmd = n\n"},
      {"# a", "# a\n[core]\n\tcmd = n\n"},
      {"[x]\r\nk\r\n", "[x]\r\nk\r\n[core]\r\n\tcmd = n\r\n"},
      {"[core]", "[core]\n\tcmd = n\n"},
      {"[core] # c\n\n[x]\n", "[core] # c\n\tcmd = n\n\n[x]\n"},
      {"[core] # c \\\n# d\n[x]\n", "[core] # c \\\n\tcmd = n\n# d\n[x]\n"},
      {"[core][x] k\n", "[core]\n\tcmd = n\n[x] k\n"},
      {"[core] arg = a \\\n b # c\r\n# of x\n[x]", "[core] arg = a \\\n b # c\r\n\tcmd = n\r\n# of x\n[x]"},
      {"[core]\narg = 1\n[x]\n[core]\narg = 2", "[core]\narg = 1\n[x]\n[core]\narg = 2\n\tcmd = n\n"},
  };
  for (const auto& [before, after] : table) EXPECT_EQ(set(before, "core.CMD", "n"), after) << before;
  EXPECT_EQ(set("", "a.b\"\\.k", "n"), "[a \"b\\\"\\\\\"]\n\tk = n\n");
}

TEST_F(GitConfigEdit, WhatIsSetIsReadBack) {
  for (const std::string value :
       {"",    " ", " a",  "a ", "a  b",   "a\tb", "\t", "\n",     "a\nb", "\b",       "\"",   "\\",
        "a\\", "#", "a;b", "\r", "a\r\nb", "\v",   "\f", "[core]", "=",    "\xc3\xa4", "\xff", "\x1b"}) {
    for (const char* text : {"", "[core]\n\tcmd = 1 # c\n", "[core]cmd=\\\n1"}) {
      put(text);
      ASSERT_TRUE(set_git_config(path_, "core.cmd", value));
      const auto entries = read_git_config(path_);
      ASSERT_TRUE(entries) << entries.error().message();
      ASSERT_EQ(entries->size(), 1U);
      EXPECT_EQ(entries->at(0).value, value);
    }
  }
}

TEST_F(GitConfigEdit, WhatCannotBeSetLeavesTheFile) {
  const std::string cannot = "cannot set core.arg in " + path_ + ": ";
  const std::string twice = "[core]\narg=1\narg=2";
  EXPECT_EQ(set(twice, "core.arg", "3"), cannot + "it is set more than once (edit the file)");
  EXPECT_EQ(read_file(path_).value_or(""), twice);
  ASSERT_TRUE(write_file_atomically(directory_.path() + "/more", "[core]\narg=1\n", Flush::no));
  EXPECT_EQ(set("[include]path=more", "core.arg", "3"), cannot + "a file that this one includes sets it (edit that)");
  EXPECT_EQ(set("[core", "core.arg", "3").find(path_ + ":1: "), 0U);
  for (const char* name : {"arg", "core.", ".arg", "core.a_b", "co re.arg", "core.1", "core..arg", "core.a\nb.arg"}) {
    EXPECT_NE(set("", name, "3").find("no key can have that name"), std::string::npos) << name;
  }
  EXPECT_EQ(set("", "core.arg", std::string(1, '\0')), "cannot set core.arg: a NUL byte cannot be in its value");
}

TEST_F(GitConfigEdit, AKeyIsTakenOutWithAllItsValues) {
  const std::vector<Row> table = {
      {"# mine\n[core]\n\talert = a\n\tcmd = /bin/x\n\talert = b\n", "# mine\n[core]\n\tcmd = /bin/x\n"},
      {"[core] alert = a # c\n\talert\n# d\n", "[core]\n# d\n"},
      {"[core]alert\r\n\talert = a\\\r\n b\r\nx\r\n", "[core]\r\nx\r\n"},
      {"[core] alert = 1 \r\n", "[core]\r\n"},
      {"[core]\nx\n\tAlert = a \\\n b", "[core]\nx\n"},
      {"[core]\nx\n", "[core]\nx\n"},
      {"[x]alert\n[core \"x\"]\nalert\n", "[x]alert\n[core \"x\"]\nalert\n"},
      {"\xef\xbb\xbf[core]alert", "\xef\xbb\xbf[core]"},
  };
  for (const auto& [before, after] : table) EXPECT_EQ(unset(before, "core.alert"), after) << before;
  EXPECT_EQ(unset("[core", "core.alert").find(path_ + ":1: "), 0U);
}

TEST_F(GitConfigEdit, ALinkStaysAndTheModeOfItsFileToo) {
  const std::string real = directory_.path() + "/real";
  ASSERT_TRUE(write_file_atomically(real, "[core]\n", Flush::no));
  ASSERT_EQ(::chmod(real.c_str(), 0640), 0);
  ASSERT_EQ(::symlink("real", path_.c_str()), 0);
  ASSERT_TRUE(set_git_config(path_, "core.cmd", "x"));
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  struct stat info {};
  ASSERT_EQ(::stat(real.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0640U);
  ASSERT_TRUE(unset_git_config(path_, "core.cmd"));
  EXPECT_EQ(read_file(real).value_or(""), "[core]\n");
  EXPECT_EQ(list_dir(directory_.path()).value_or(std::vector<std::string>{}).size(), 2U);
}

}  // namespace
}  // namespace usvc
