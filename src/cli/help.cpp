#include "cli/help.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "cli/json_out.h"
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

struct OptionHelp {
  std::optional<std::string> name;
  std::optional<std::string> letter;
  std::optional<std::string> value;
  std::string help;
};
BOOST_DESCRIBE_STRUCT(OptionHelp, (), (name, letter, value, help))

struct CommandHelp {
  std::string name;
  std::vector<std::string> aliases;
  std::string arguments;
  std::string summary;
  std::string details;
  std::vector<OptionHelp> options;
};
BOOST_DESCRIBE_STRUCT(CommandHelp, (), (name, aliases, arguments, summary, details, options))

struct CommandLineView {
  std::string name;
  std::string summary;
};
BOOST_DESCRIBE_STRUCT(CommandLineView, (), (name, summary))

struct HelpView {
  std::vector<CommandLineView> commands;
};
BOOST_DESCRIBE_STRUCT(HelpView, (), (commands))

OptionHelp option_help(const Flag& flag) {
  OptionHelp option;
  if (!flag.name.empty()) option.name = flag.name;
  if (flag.letter != 0) option.letter = std::string("-") + flag.letter;
  if (!flag.value.empty()) option.value = flag.value;
  option.help = flag.help;
  return option;
}

json::value overview_view() {
  HelpView view;
  for (const auto& command : command_table()) {
    if (!command.internal) view.commands.push_back({std::string(command.name), std::string(command.summary)});
  }
  return to_json(view);
}

json::value view_of(const Command& command) {
  CommandHelp view;
  view.name = command.name;
  for (const auto alias : split(command.aliases, ' ')) {
    if (!alias.empty()) view.aliases.emplace_back(alias);
  }
  view.arguments = command.arguments;
  view.summary = command.summary;
  view.details = command.details;
  for (const auto& flag : listed_flags(command)) view.options.push_back(option_help(flag));
  return to_json(view);
}

}  // namespace

std::string help_line(std::string_view section, std::string_view name, std::string_view summary) {
  std::string line(section);
  pad(line, 6);
  line += name;
  pad(line, 16);
  return line.append(summary) + "\n";
}

std::string help_commands() {
  std::string out;
  std::string more;
  std::optional<Section> last;
  for (const auto& command : command_table()) {
    if (!command.listed && !command.internal && command.run != command::help) more += " " + std::string(command.name);
    if (!command.listed) continue;
    out += help_line(command.section != last ? section_title(command.section) : "", command.name, command.summary);
    last = command.section;
  }
  return out + "more " + more + "\n";
}

std::string help_overview() {
  return "usvc [--home DIR] [--json] [--color WHEN] [-q] COMMAND …  keeps programs running\n" + help_commands() +
         "usvc help COMMAND tells more. SELECTOR: a job, group, all, live, dead, 'web-*'.\n";
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
  for (const auto& flag : listed_flags(command)) out += hang("  " + flag_words(flag), 28, flag.help);
  return out;
}

Status show_help(const Command* command, bool as_json) {
  if (as_json) return print_json(command == nullptr ? overview_view() : view_of(*command));
  return print(command == nullptr ? help_overview() : help_of(*command));
}

}  // namespace usvc
