// The words that only the console knows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/completion.h"
#include "cli/context.h"

namespace usvc {

enum class ConsoleWord { clear, exit, help, notes };

struct ConsoleWordRow {
  std::string_view name;
  ConsoleWord word;
  std::string_view summary;
};
std::span<const ConsoleWordRow> console_words();
// By name, or nothing: it is a command.
std::optional<ConsoleWord> find_console_word(std::string_view name);

// Where the lines typed there are kept: the client's own file in the instance's directory.
std::string console_history_path(const Layout& layout);

// `help`: the commands and the words above.
std::string console_help();
// `notes`: a page on how to use it.
std::string console_notes(const Context& context);

// What may come next on a line of the console's.
Candidates complete_in_console(const Context& context, const std::vector<std::string>& words);

}  // namespace usvc
