#include <string>
#include <string_view>

#include "base/shell_words.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/json_out.h"

namespace usvc::command {

namespace {

// The words of a line up to the cursor, without the program; the last is the one being typed.
std::vector<std::string> words_of(const std::string& line) {
  auto split = split_shell_words(line);
  if (!split.in_word) split.words.emplace_back();
  split.words.erase(split.words.begin());
  return split.words;
}

// How much of the words a shell has taken apart already at characters such as : and =, and does not want again.
std::size_t length_before_break(std::string_view typed, std::string_view breaks) {
  const auto at = typed.find_last_of(breaks);
  return at == std::string_view::npos ? 0 : at + 1;
}

}  // namespace

std::vector<Flag> complete_flags() {
  return {{"--line", 0, "TEXT", "the command line up to the cursor, in place of WORD…"},
          {"--breaks", 0, "CHARACTERS", "leave out what stands before the last of these"}};
}

Result<int> complete(const Invocation& invocation) {
  const auto line = invocation.arguments.value("--line");
  const auto words = line ? words_of(*line) : invocation.arguments.words;
  if (words.empty() && !invocation.context.json) return 0;
  Candidates found = usvc::complete(invocation.context, words);
  const auto left_out =
      length_before_break(words.empty() ? "" : words.back(), invocation.arguments.value("--breaks").value_or(""));
  for (auto& candidate : found.words) candidate.word.erase(0, left_out);
  if (invocation.context.json) {
    if (auto status = print_json(found); !status) return pass(status);
    return 0;
  }
  std::string text;
  for (const auto& candidate : found.words) {
    text += candidate.word;
    if (!candidate.about.empty()) text += "\t" + candidate.about;
    text += "\n";
  }
  if (found.files) text += ":files\n";
  if (found.directories) text += ":directories\n";
  if (found.programs) text += ":programs\n";
  if (auto status = print(text); !status) return pass(status);
  return 0;
}

}  // namespace usvc::command
