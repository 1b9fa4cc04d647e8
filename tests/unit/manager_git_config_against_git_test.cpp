// Our reader and editor of files in git-config format beside git's own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/text.h"
#include "manager/git_config.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

// "name LF value", or the name alone; nothing: refused.
using Listing = std::optional<std::vector<std::string>>;

// git 2.39 makes a space of each blank outside quotes; we, and git since 2.45, keep it as it is.
std::string with_plain_blanks(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\t' || c == '\r'; }, ' ');
  return text;
}

std::string name_of(const GitEntry& entry) {
  return entry.section + "." + (entry.subsection.empty() ? "" : entry.subsection + ".") + entry.key;
}

Listing listing_of(const std::vector<GitEntry>& entries) {
  std::vector<std::string> listing;
  for (const auto& entry : entries) {
    listing.push_back(with_plain_blanks(name_of(entry) + (entry.has_value ? "\n" + entry.value : "")));
  }
  return listing;
}

// Where we are stricter, on purpose.
bool only_we_refuse(const std::string& text, const std::string& message) {
  const bool ends_in_backslash = text.ends_with("\\") || text.ends_with("\\\n") || text.ends_with("\\\r\n");
  const auto says = [&](const char* what) { return message.find(what) != std::string::npos; };
  return says("a line before its first [section]")            // git lists a key that has no section
         || says("a section without a name")                  // [] and [a ""]
         || (ends_in_backslash && says("an unknown escape"))  // what is added to the file would go on with it
         || says("a NUL byte");                               // git's text ends there, or its line
}

class AgainstGit : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("git --version >/dev/null") != 0) GTEST_SKIP() << "git is not installed";
  }

  [[nodiscard]] std::string path(std::size_t number, const char* what = "") const {
    return directory_.path() + "/" + std::to_string(number) + what;
  }

  void put(const std::vector<std::string>& texts) const {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      ASSERT_TRUE(write_file_atomically(path(i), texts[i], Flush::no));
    }
  }

  // What git says of each of so many files; one shell for all, since starting one takes longer than git.
  [[nodiscard]] std::vector<std::optional<std::string>> git(std::size_t files, const std::string& arguments) const {
    const std::string command = "cd " + directory_.path() + " && i=0; while [ $i -lt " + std::to_string(files) +
                                " ]; do git config --file $i " + arguments +
                                " >$i.out 2>$i.err || rm $i.out; i=$((i+1)); done";
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::vector<std::optional<std::string>> answers;
    for (std::size_t i = 0; i < files; ++i) {
      auto answer = read_file(path(i, ".out"));
      answers.push_back(answer ? std::optional(*answer) : std::nullopt);
    }
    return answers;
  }

  void hold_against_git(const std::vector<std::string>& texts) const {
    put(texts);
    const auto answers = git(texts.size(), "--list -z --includes");
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto ours = read_git_config(path(i));
      if (!ours && answers[i] && only_we_refuse(texts[i], ours.error().message())) continue;
      Listing theirs;
      if (answers[i]) {
        theirs.emplace();
        for (const auto item : split(*answers[i], '\0')) theirs->push_back(with_plain_blanks(std::string(item)));
        theirs->pop_back();  // behind the last NUL
      }
      EXPECT_EQ(ours ? listing_of(*ours) : Listing(), theirs)
          << texts[i] << "\nours: " << (ours ? "" : ours.error().message())
          << "\ngit: " << read_file(path(i, ".err")).value_or("");
    }
  }

 private:
  TemporaryDirectory directory_;
};

std::vector<std::string> generated(std::size_t count) {
  const std::vector<std::string> pieces = {"[",
                                           "]",
                                           "\"",
                                           "\\",
                                           "=",
                                           "#",
                                           ";",
                                           " ",
                                           "\t",
                                           "\n",
                                           "\r\n",
                                           "a",
                                           "B",
                                           "1",
                                           "-",
                                           ".",
                                           "[s]\n",
                                           "k",
                                           "k=",
                                           "\n\t",
                                           "\\\n",
                                           "\\\"",
                                           "\\n",
                                           "\" \"",
                                           "x y",
                                           "\nk = v\n",
                                           "[s]",
                                           "\n[s]k=1",
                                           "\n[t \"U\"]\n",
                                           "\\\\",
                                           "\n",
                                           "\n# c\n"};
  std::mt19937 random(25);  // NOLINT(*-msc51-cpp,*-msc32-c): the same texts each time
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text = i % 4 == 0 ? "" : "[s]\n";
    for (auto left = random() % 14; left > 0; --left) text += pieces[random() % pieces.size()];
    texts.push_back(text);
  }
  return texts;
}

TEST_F(AgainstGit, OddFilesAreReadAsGitReadsThem) {
  hold_against_git({
      "",
      "\xef\xbb\xbf[a]k=1",
      "\xef\xbb[a]k=1",
      "[a]k",
      "[a]k # c",
      "[a]k=\n",
      "[A.B]K=1",
      "[A.B \"C\"]K=1",
      "[a \"B\\\"\\\\\\c.d\"]k=1",
      "[a\t\t\"b\"]k=1",
      "[a \"b\"x]k=1",
      "[a \"b\" ]",
      "[a \"\"]k=1",
      "[]k=1",
      "[a_b]",
      "[a b]",
      "[a]1k=1",
      "[a]k1-=1",
      "[a]k_=1",
      "[a]-k=1",
      "k=1",
      "[a]\nk=\"1\n",
      "[a]k=a \" # \" b # c",
      "[a]k=a\\\nb",
      "[a]k=a \\\n\nl=1",
      "[a]k=\\\n  b",
      "[a]k=\"\\\n  b\"",
      "[a]k=# \\\nl=1",
      "[a]k=\\x",
      "[a]k=\\\r\nb",
      "[a]k=\"\" b",
      "[a]\r\nk\r\nl = 1\r\n",
      "[a]k = a\rb",
      "[a]k = \"a\rb\"",
      "[a]\rk",
      "[a]k\r=1",
      "[a]k=a\vb\f",
      "[a]\vk",
      "[a]k==1",
      "[a][b]k=1[c]",
      "[a]k=1\\",
      "[a",
      "[a \"b",
      "[a \"b\\",
      "[include]path",
      "[include]path=nothing-there",
      "[include]path=0\n[a]k=1",
      "[include]path=1\n[a]k=1",
      "[include]path=48\n",
      "[include \"x\"]path=1\n",
      "[includeIf \"gitdir:/\"]path=1\n",
      "[include]path=~/.usvc-no-such-file\n[a]k",
  });
}

TEST_F(AgainstGit, GeneratedFilesAreReadAsGitReadsThem) {
  hold_against_git(generated(600));
}

// With the entries of another key as they were.
TEST_F(AgainstGit, GitReadsWhatWeSetAndNotWhatWeUnset) {
  const auto texts = generated(300);
  put(texts);
  const std::vector<std::string> values = {"", " ", "a b", "#1;", "\\", "\"", "a\tb\n", " x ", "a\r", "\\n", "[s]"};
  const auto others = [](std::vector<GitEntry> entries) {
    std::erase_if(entries, [](const GitEntry& entry) { return name_of(entry) == "s.k"; });
    return listing_of(entries);
  };
  std::map<std::size_t, Listing> before;
  std::map<std::size_t, std::string> set;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto entries = read_git_config(path(i));
    if (!entries) continue;
    before[i] = others(*entries);
    const std::string& value = values[i % values.size()];
    if (set_git_config(path(i), "s.k", value)) {
      set[i] = value;
    } else {
      EXPECT_GT(std::ranges::count(*entries, "s.k", name_of), 1) << texts[i];
    }
  }
  EXPECT_GT(set.size(), 50U);
  auto answers = git(texts.size(), "-z --get s.k");
  for (const auto& [i, value] : set) EXPECT_EQ(answers[i], value + '\0') << texts[i];
  const auto must_be_the_same = [&] {
    for (const auto& [i, entries] : before) {
      const auto now = read_git_config(path(i));
      ASSERT_TRUE(now) << texts[i] << "\n" << now.error().message();
      EXPECT_EQ(others(*now), entries) << texts[i];
    }
  };
  must_be_the_same();
  for (const auto& [i, entries] : before) EXPECT_TRUE(unset_git_config(path(i), "s.k"));
  answers = git(texts.size(), "-z --get s.k");
  for (const auto& [i, entries] : before) EXPECT_EQ(answers[i], std::nullopt) << texts[i];
  must_be_the_same();
}

}  // namespace
}  // namespace usvc
