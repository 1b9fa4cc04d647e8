// The words of a command line, taken apart by a table of the options a command knows. The same table makes its help.
//
// Not CLI11: the client lives for a millisecond and its grammar is small, but odd where it matters. Everything from CMD
// on belongs to the job, also words that look like options.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace usvc {

// One option of a command.
struct Flag {
  std::string_view name;   // "--follow"; may be empty when there is a letter
  char letter = 0;         // 'f', 0: none
  std::string_view value;  // what it takes, for the help: "N"; empty: nothing
  std::string_view help;
  [[nodiscard]] bool called(std::string_view word) const;  // "-f" or "--follow"
  [[nodiscard]] std::string_view id() const { return name.empty() ? std::string_view(&letter, 1) : name; }
};

enum class Options {
  anywhere,      // between the words too, up to "--"
  before_words,  // the first word and everything after it are words
};

struct Arguments {
  std::vector<std::pair<std::string, std::string>> options;  // Flag::id() and value, in the order given
  std::vector<std::string> words;
  bool dashes = false;  // "--" ended the options

  [[nodiscard]] bool has(std::string_view id) const;
  // The last one given.
  [[nodiscard]] std::optional<std::string> value(std::string_view id) const;
  [[nodiscard]] std::vector<std::string> values(std::string_view id) const;
};

// -n5, -n 5, --name x, --name=x, -fn 5. Errors are ErrorKind::usage.
Result<Arguments> parse_arguments(const std::vector<Flag>& flags, Options options,
                                  const std::vector<std::string>& words);

}  // namespace usvc
