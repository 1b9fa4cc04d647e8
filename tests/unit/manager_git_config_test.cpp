#include <gtest/gtest.h>

#include "base/files.h"
#include "manager/git_config.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

TEST(GitConfig, AnErrorIsOneLineWhateverTheFileHolds) {
  const GitLibrary git;
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/web-1.conf";
  for (const char* text : {"[core]\n\tcmd = \"a\\x \x1b[31m\t\"\n", "[co\x1b[31mre]\n\tcmd = x\n",
                           "[core]\n\tcm\x1b[31md = x\n", "[core \"\x1b[31m\n"}) {
    ASSERT_TRUE(write_file_atomically(path, text, Flush::no));
    const auto entries = read_git_config(path);
    ASSERT_FALSE(entries) << text;
    EXPECT_EQ(entries.error().message().find_first_of("\x1b\t\n"), std::string::npos) << entries.error().message();
  }
}

// The library would read two lines as one, or say that it set a value that is then read as part of another.
TEST(GitConfig, AnUnknownEscapeIsAnErrorWithItsLine) {
  const GitLibrary git;
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/web-1.conf";
  const auto read = [&](const std::string& text) {
    EXPECT_TRUE(write_file_atomically(path, text, Flush::no));
    return read_git_config(path);
  };
  const auto wrong = path + R"(:2: an unknown escape (\\ is a backslash, \" a quote))";
  for (const char* line : {"cmd = /bin/x \\ ; y", "cmd = a\\ # b", R"(cmd = "a\x")"}) {
    const auto entries = read("[core]\n\t" + std::string(line) + "\n\targ = 1\n");
    ASSERT_FALSE(entries) << line;
    EXPECT_EQ(entries.error().message(), wrong) << line;
  }
  // What is set next would go on with that line.
  for (const char* end : {"\\", "\\\n", "\\\r\n"}) {
    const auto entries = read("[core]\n\tcmd = /bin/x" + std::string(end));
    ASSERT_FALSE(entries);
    EXPECT_EQ(entries.error().message(), wrong);
  }
  const auto good =
      read("[core \"a\\xb\"] # \\ x\n; \\ y\n\tcmd = a \\\n\tb\r\n\targ = \"\\\\ ; \\\" \\n\" ; \\ z\n\tlast = \\\\\n");
  ASSERT_TRUE(good) << good.error().message();
  ASSERT_EQ(good->size(), 3U);
  EXPECT_EQ(good->at(1).value, "\\ ; \" \n");
}

// As `git config` refuses them; the library takes the line's end for that of the quote, and what is no conf for an
// empty one.
TEST(GitConfig, AnOpenQuoteAndWhatIsNoConfAreErrorsWithTheirLine) {
  using std::string_literals::operator""s;
  const GitLibrary git;
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/web-1.conf";
  const auto message = [&](const std::string& text) {
    EXPECT_TRUE(write_file_atomically(path, text, Flush::no));
    const auto entries = read_git_config(path);
    return entries ? std::string() : entries.error().message();
  };
  const std::string open = R"(: a quote that is not closed (\" is a quote that belongs to the value))";
  EXPECT_EQ(message("[core]\n\tcmd = \"x\n\targ = y\n"), path + ":2" + open);
  EXPECT_EQ(message("[core]\n\tcmd = x\n\targ = a \"b"), path + ":3" + open);
  EXPECT_EQ(message("[core]\n\tcmd = \"a\\\n b\n"), path + ":3" + open);
  const std::string other = ": it is not in git-config format: ";
  EXPECT_EQ(message("\0\0[core]\n\tcmd = x\n"s), path + ":1" + other + "a NUL byte");
  EXPECT_EQ(message("[core]\n\tcmd = x\n\targ = \0\n"s), path + ":3" + other + "a NUL byte");
  EXPECT_EQ(message("# that\n\njunk\n[core]\n\tcmd = x\n"), path + ":3" + other + "a line before its first [section]");
  EXPECT_EQ(message("\xff\xfe[core]\n\tcmd = x\n"), path + ":1" + other + "a line before its first [section]");
  EXPECT_EQ(message("cmd = x\n"), path + ":1" + other + "a line before its first [section]");
  for (const char* good : {"", "\xef\xbb\xbf[core]\n\tcmd = x\n", " # \" x\n\n; '\"\n[core] cmd = \"a # \" \\\n b\n",
                           "[core \"]\"]\n\tcmd = \\\"\n\targ = a # \"\n"}) {
    EXPECT_EQ(message(good), "") << good;
  }
}

TEST(GitConfig, EntriesHaveTheLinesOfTheirFile) {
  const GitLibrary git;
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/web-1.conf";
  ASSERT_TRUE(write_file_atomically(directory.path() + "/more", "[core]\n\targ = 0\n", Flush::no));
  ASSERT_TRUE(write_file_atomically(
      path, "[other]\n\targ = 1\n[include]\n\tpath = more\n\n[core] cmd = /bin/x\n\targ = 2\n\ttty\n", Flush::no));
  const auto entries = read_git_config(path);
  ASSERT_TRUE(entries) << entries.error().message();
  std::string found;
  for (const auto& entry : *entries) {
    found += entry.section + "." + entry.key + "=" + entry.value + ":" + std::to_string(entry.line) + " ";
  }
  EXPECT_EQ(found, "other.arg=1:2 include.path=more:4 core.arg=0:0 core.cmd=/bin/x:6 core.arg=2:7 core.tty=:8 ");
}

TEST(GitConfig, WhatWouldNotBeReadAsItWasSetIsRefused) {
  const GitLibrary git;
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/web-1.conf";
  const std::string text = "[core]\n\tcmd = /bin/x\n";
  ASSERT_TRUE(write_file_atomically(path, text, Flush::no));
  for (const char* value : {"\rx", "a\rb", "\vx", "x\f"}) EXPECT_FALSE(set_git_config(path, "core.cmd", value));
  EXPECT_EQ(read_file(path).value_or(""), text);
}

TEST(GitConfig, AKeyIsTakenOutWithAllItsValues) {
  const GitLibrary git;
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/web-1.conf";
  ASSERT_TRUE(write_file_atomically(path, "# mine\n[core]\n\talert = a\n\tcmd = /bin/x\n\talert = b\n", Flush::no));
  ASSERT_TRUE(unset_git_config(path, "core.alert"));
  EXPECT_EQ(read_file(path).value_or(""), "# mine\n[core]\n\tcmd = /bin/x\n");
  EXPECT_TRUE(unset_git_config(path, "core.alert")) << "it is not there already";
}

}  // namespace
}  // namespace usvc
