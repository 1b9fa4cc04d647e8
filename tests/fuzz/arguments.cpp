// A command line's words, and a file of variables: every word is accounted for, the job's own are left alone.
#include <algorithm>

#include "base/text.h"
#include "cli/args.h"
#include "cli/caller.h"
#include "cli/terminal.h"
#include "fuzz.h"
#include "job/environment.h"
#include "job/names.h"

namespace {

using namespace usvc;
using fuzz::must;

const std::vector<Flag>& flags() {
  static const std::vector<Flag> table = {{"--follow", 'f', "", "follow"},  {"--lines", 'n', "N", "how many"},
                                          {"--name", 0, "NAME", "a name"},  {"--group", 'g', "GROUP", "a group"},
                                          {"--once", '1', "", "only once"}, {"", 'x', "", "a letter alone"},
                                          {"--no-tty", 0, "", "pipes"},     {"--env", 'e', "K=V", "a variable"}};
  return table;
}

void check(const std::vector<std::string>& words, Options options) {
  const auto found = parse_arguments(flags(), options, words);
  if (!found) {
    must(found.error().kind() == ErrorKind::usage, "it is the caller's fault");
    return fuzz::must_be_one_line(found.error());
  }
  for (const auto& [id, value] : found->options) {
    const auto flag = std::ranges::find(flags(), std::string_view(id), &Flag::id);
    must(flag != flags().end(), "an option is in the table", id);
    must(!flag->value.empty() || value.empty(), "a flag without a value has none", id);
    must(found->has(id) && found->values(id).back() == *found->value(id), "the last one counts", id);
  }
  must(found->words.size() <= words.size(), "no word is made up");
  if (options == Options::before_words) {
    must(std::equal(found->words.rbegin(), found->words.rend(), words.rbegin()), "what follows is the job's own");
  }
  if (!found->dashes) return;
  const auto dashes = std::ranges::find(words, "--");
  must(dashes != words.end(), "the dashes were there");
}

void check_env_file(std::string_view text) {
  const auto assignments = parse_env_file(text, "file");
  if (!assignments) return fuzz::must_be_one_line(assignments.error());
  std::vector<std::string> environment;
  for (const auto& assignment : *assignments) {
    must(check_assignment(assignment).has_value(), "what a file sets can be set", assignment);
    set_variable(environment, assignment);
  }
  must(environment.size() <= assignments->size(), "each name is there once");
}

// A job's output as `log` shows it.
void check_tame(std::string_view text) {
  for (const bool colors : {true, false}) {
    const std::string line = tame(text, colors);
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      must((byte >= 0x20 && byte != 0x7f) || c == '\t' || (colors && c == '\x1b'), "a line is harmless", line);
    }
    must(tame(line, false) == tame(text, false), "nothing else is lost, whoever looks", line);
  }
  for (const std::size_t columns : {0U, 1U, 7U, 80U}) {
    const auto part = cut_to(text, columns);
    must(text.starts_with(part) && display_width(part) <= columns, "a cut line fits", part);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  std::vector<std::string> words;
  for (const auto word : split(text, '\n')) words.emplace_back(word.substr(0, word.find('\0')));
  check(words, Options::anywhere);
  check(words, Options::before_words);
  check_env_file(text);
  check_tame(text);
  return 0;
}
