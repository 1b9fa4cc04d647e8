#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "manager/git_config.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

TEST(GitConfig, AnErrorIsOneLineWhateverTheFileHolds) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/web-1.conf";
  for (const char* text : {"[core]\n\tcmd = \"a\\x \x1b[31m\t\"\n", "[co\x1b[31mre]\n\tcmd = x\n",
                           "[core]\n\tcm\x1b[31md = x\n", "[core \"\x1b[31m\n", "[include]\n\tpath = x\x1b[31m\n"}) {
    ASSERT_TRUE(write_file_atomically(path, text, Flush::no));
    const auto entries = read_git_config(path);
    ASSERT_FALSE(entries) << text;
    EXPECT_EQ(entries.error().message().find_first_of("\x1b\t\n"), std::string::npos) << entries.error().message();
  }
}

// Each entry has its section's name, so little text could ask for very much memory.
TEST(GitConfig, EntriesOfALongSectionAreLimited) {
  std::string text = "[core \"" + std::string(std::size_t{1} << 20U, 'x') + "\"]\n";
  EXPECT_TRUE(parse_git_config(text + "k\n", "F"));
  for (int i = 0; i < 100; ++i) text += "k\n";
  const auto entries = parse_git_config(text, "F");
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().message(), "F: its entries take more than 16 MiB");
}

// A backslash at the very end, which git takes, would make what is set next a part of that line.
TEST(GitConfig, AnUnknownEscapeIsAnErrorWithItsLine) {
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

// As `git config` refuses them, but for a key before any section.
TEST(GitConfig, AnOpenQuoteAndWhatIsNoConfAreErrorsWithTheirLine) {
  using std::string_literals::operator""s;
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

// section.subsection.key=value:line, or without the =.
std::string told(const Result<std::vector<GitEntry>>& entries) {
  if (!entries) return entries.error().message();
  std::string all;
  for (const auto& entry : *entries) {
    all += entry.section + "." + (entry.subsection.empty() ? "" : entry.subsection + ".") + entry.key;
    all += (entry.has_value ? "=" + entry.value : "") + ":" + std::to_string(entry.line) + "|";
  }
  return all;
}

TEST(GitConfig, EachWayToWriteAnEntryIsRead) {
  const std::string header = R"(: a section header that is none ([NAME] or [NAME "SUBSECTION"]))";
  const std::string unnamed = R"(: a section without a name ([NAME] or [NAME "SUBSECTION"]))";
  const std::string line = ": a line that is not KEY = VALUE ";
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", ""},
      {"[core]", ""},
      {"[Core]\nCMD=x", "core.cmd=x:2|"},
      {"[a \"B.\\\"\\\\\\c\"]k=1", "a.B.\"\\c.k=1:1|"},
      {"[a.B]k=1", "a.b.k=1:1|"},
      {"[a.B  \"C\"]k", "a.b.C.k:1|"},
      {"[a][b] k=1 # c\n[c]\n\n l", "b.k=1:1|c.l:4|"},
      {"[a]k\nl =\nm = ;\nn = \"\"\n", "a.k:1|a.l=:2|a.m=:3|a.n=:4|"},
      {"[a]\r\nk = x \r\nl\r\nm=\"a\rb\"\r\n", "a.k=x:2|a.l:3|a.m=a\rb:4|"},
      {"[a]k =  x\t y  \n", "a.k=x\t y:1|"},
      {"[a]k = a\" # b \";c", "a.k=a # b :1|"},
      {"[a]k = \\\n  b \\\n\n l=\\t\\b\\n\\\\\\\"", "a.k=b :1|a.l=\t\b\n\\\":4|"},
      {"[a]k = \"b\\\r\n c\"", "a.k=b c:1|"},
      {"\xef\xbb\xbf[a]\nk=\xc3\xa4", "a.k=\xc3\xa4:2|"},
      {"[a]\n[b", "F:2" + header},
      {"[a b]", "F:1" + header},
      {"[a \"b\nc\"]", "F:1" + header},
      {"[a \"b\" ]", "F:1" + header},
      {"[a \"b\\", "F:1" + header},
      {"[a\n]", "F:1" + header},
      {"[a_b]", "F:1" + header},
      {"[]", "F:1" + unnamed},
      {"[a \"\"]", "F:1" + unnamed},
      {"[a.]", "F:1" + unnamed},
      {"[a]\n\n1=2", "F:3" + line + "(a key begins with a letter, # begins a comment)"},
      {"[a]\nb_c=2", "F:2" + line + "(a key has letters, digits and hyphens only)"},
      {"[a]\nk # c", "F:2" + line + "(a key has letters, digits and hyphens only)"},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(told(parse_git_config(text, "F")), expected) << text;
}

class GitConfigIncludes : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_atomically(directory_.path() + "/" + name, text, Flush::no));
  }
  std::string read(const std::string& text) {
    write("conf", text);
    return told(read_git_config(directory_.path() + "/conf"));
  }
  TemporaryDirectory directory_;
};

TEST_F(GitConfigIncludes, AreFollowedFromTheFileThatHasThem) {
  ASSERT_TRUE(ensure_private_dir(directory_.path() + "/sub"));
  write("sub/one", "[include]path=two\n");
  write("sub/two", "[a]k=2\n");
  EXPECT_EQ(read("[include]path=sub/one\n[a]l\n"), "include.path=sub/one:1|include.path=two:0|a.k=2:0|a.l:2|");
  const std::string absolute = directory_.path() + "/sub/two";
  EXPECT_EQ(read("[include]path=" + absolute), "include.path=" + absolute + ":1|a.k=2:0|");
  EXPECT_EQ(read("[include]path=none\npath=conf/x\n"), "include.path=none:1|include.path=conf/x:2|");
  EXPECT_EQ(read("[includeIf \"gitdir:/\"]path=sub/two\n[include \"x\"]path=sub/two"),
            "includeif.gitdir:/.path=sub/two:1|include.x.path=sub/two:2|");
  EXPECT_EQ(told(parse_git_config("[include]path=" + absolute, "F")), "include.path=" + absolute + ":1|");
}

TEST_F(GitConfigIncludes, ErrorsNameTheFileThatHasThem) {
  const std::string at = directory_.path() + "/";
  write("bad", "[a]\n\n=");
  EXPECT_EQ(read("[include]path=bad").find(at + "bad:3: a line that is not KEY = VALUE"), 0U);
  EXPECT_EQ(read("\n[include]path").find(at + "conf:2: include.path has no value"), 0U);
  EXPECT_EQ(read("[include]path=~nobody/x").find(at + "conf:1: cannot tell what file ~nobody/x is"), 0U);
  EXPECT_EQ(read("[include]path=conf"), at + "conf:1: files are included more than 10 deep (one may include itself)");
  EXPECT_EQ(read("[include]path=/").find(at + "conf:1: "), 0U) << "a directory";
}

// Ten levels of a hundred includes each would be read for years.
TEST_F(GitConfigIncludes, TheirSizesAddUp) {
  for (int level = 0; level < 5; ++level) {
    std::string text = "[include]\n";
    for (int i = 0; i < 100; ++i) text += "path=level" + std::to_string(level + 1) + "\n";
    write("level" + std::to_string(level), text);
  }
  write("level5", "# " + std::string(1000, 'x'));
  EXPECT_NE(read("[include]path=level0").find("more than 16 MiB with all that is included"), std::string::npos);
}

// Twice the text takes twice the time, however it looks: 4 MB each, and no test waits for squares of that.
TEST(GitConfig, LongTextsAreReadInOnePass) {
  const auto many = [](const std::string& piece) {
    std::string text;
    while (text.size() < std::size_t{4} << 20U) text += piece;
    return text;
  };
  for (const std::string& text :
       {"[a]k=" + many("\\\n"), "[a]k=" + many("\" \""), "[a]k=x" + many(" "), many("[a]"), "[" + many("a"),
        "[a]\n" + many("k\n"), many("#"), "[a \"" + many("\\\""), "[a]k=" + many("\r")}) {
    (void)parse_git_config(text, "F");
  }
}

}  // namespace
}  // namespace usvc
