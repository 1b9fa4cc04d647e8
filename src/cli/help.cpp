#include "cli/help.h"

#include <algorithm>

#include "base/text.h"
#include "cli/terminal.h"

namespace usvc {

namespace {

void pad(std::string& text, std::size_t columns) {
  const std::size_t width = display_width(text);
  text.append(columns > width ? columns - width : 1, ' ');
}

std::string flag_words(const Flag& flag) {
  std::string text = flag.letter != 0 ? std::string("-") + flag.letter : "";
  if (!flag.name.empty()) text += (text.empty() ? "    " : ", ") + std::string(flag.name);
  if (!flag.value.empty()) text += " " + std::string(flag.value);
  return text;
}

// The text behind what stands in `line`, broken at words so that it fits 80 columns.
std::string hang(std::string line, std::size_t column, std::string_view text) {
  std::string out;
  pad(line, column);
  for (const auto word : split(text, ' ')) {
    if (display_width(line) > column && display_width(line) + 1 + display_width(word) > 79) {
      out += line + "\n";
      line.assign(column, ' ');
    }
    if (display_width(line) > column) line += ' ';
    line += word;
  }
  return out + line + "\n";
}

std::string section_title(Section section) {
  switch (section) {
    case Section::run:
      return "run";
    case Section::look:
      return "look";
    case Section::tend:
      return "tend";
    case Section::instance:
      return "usvc";
  }
  return "";
}

}  // namespace

std::string help_overview() {
  std::string out = "usvc [--home DIR] [--json] [--color WHEN] [-q] COMMAND …  keeps programs running\n";
  Section last = Section::instance;
  bool first = true;
  for (const auto& command : command_table()) {
    if (!command.listed) continue;
    std::string line = first || command.section != last ? section_title(command.section) : "";
    pad(line, 6);
    line += command.name;
    pad(line, 16);
    out += line + std::string(command.summary) + "\n";
    last = command.section;
    first = false;
  }
  out += "usvc help COMMAND tells more. SELECTOR: a job, group, all, live, dead, 'web-*'.\n";
  return out;
}

std::string help_of(const Command& command) {
  std::string out = "usvc " + std::string(command.name);
  const auto flags = command.flags == nullptr ? std::vector<Flag>() : command.flags();
  if (!flags.empty()) out += " [OPTION…]";
  if (command.options == Options::before_words) out += " [--]";
  if (!command.arguments.empty()) out += " " + std::string(command.arguments);
  out += "\n\n" + std::string(command.summary) + "\n";
  if (!command.details.empty()) out += "\n" + std::string(command.details);
  if (!command.aliases.empty()) out += "\nalso called: " + std::string(command.aliases) + "\n";
  out += "\n";
  for (const auto& flag : flags) out += hang("  " + flag_words(flag), 28, flag.help);
  for (const auto& flag : common_flags()) out += hang("  " + flag_words(flag), 28, flag.help);
  return out;
}

}  // namespace usvc
