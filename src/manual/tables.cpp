#include "manual/tables.h"

#include <fmt/format.h>

#include "base/text.h"
#include "job/options.h"
#include "job/settings.h"
#include "manual/roff.h"
#include "manual/shapes.h"
#include "shapes/route_table.h"

namespace usvc {

namespace {

std::string section_title(Section section) {
  switch (section) {
    case Section::run:
      return "Running jobs";
    case Section::look:
      return "Looking at them";
    case Section::tend:
      return "Tending them";
    case Section::instance:
      return "usvc itself";
  }
  return "";
}

// "SELECTOR… | JOB KEY [VALUE]": words of capitals are what the caller puts in.
std::string argument_words(std::string_view arguments) {
  return arguments.empty() ? "" : " " + roff_italic(arguments);
}

std::string flag_tag(const Flag& flag) {
  std::string tag;
  if (flag.letter != 0) tag = roff_bold(std::string("-") + flag.letter);
  if (!flag.name.empty()) tag += (tag.empty() ? "" : ", ") + roff_bold(flag.name);
  if (!flag.value.empty()) tag += " " + roff_italic(flag.value);
  return tag;
}

std::string commands() {
  std::string text;
  std::optional<Section> last;
  for (const auto& command : command_table()) {
    if (last != command.section) text += ".SS " + section_title(command.section) + "\n";
    last = command.section;
    std::string about(command.summary);
    if (!command.aliases.empty()) about += "; also called " + std::string(command.aliases);
    text += roff_item(roff_bold(command.name) + argument_words(command.arguments), about + ".");
  }
  return text;
}

std::string type_words(const Option& option) {
  switch (option.type) {
    case OptionType::text:
    case OptionType::any_text:
      return "text";
    case OptionType::path:
      return "an absolute path";
    case OptionType::job_name:
    case OptionType::group_name:
      return "a name";
    case OptionType::boolean:
      return "true or false";
    case OptionType::number:
      return fmt::format("a number from {} to {}", option.min, option.max);
    case OptionType::size:
      return "a size (512K, 64M, 4G)";
    case OptionType::duration:
      return "a time (300ms, 90s, 1h30m)";
    case OptionType::signal:
      return "a signal (TERM)";
    case OptionType::choice: {
      std::string choices(option.choices);
      for (auto bar = choices.find('|'); bar != std::string::npos; bar = choices.find('|', bar)) {
        choices.replace(bar, 1, ", ");
      }
      return "one of " + choices;
    }
    case OptionType::umask:
      return "an octal number";
    case OptionType::limit:
      return "NAME SOFT HARD";
  }
  return "";
}

std::string option_item(const Option& option) {
  std::string text = std::string(option.help) + ".\nValue: " + type_words(option);
  if (option.repeatable) text += "; may stand several times";
  if (!option.default_text.empty()) text += ". Default: " + std::string(option.default_text);
  if (!option.flag.empty()) text += ". On the command line: " + std::string(option.flag);
  return roff_item(roff_bold(option.key), text + ".");
}

std::string keys() {
  std::string text;
  for (const auto& option : option_table()) text += option_item(option);
  return text;
}

std::string settings_of(std::string_view section) {
  std::string text;
  for (const auto& setting : setting_table()) {
    if (setting.section == section) text += option_item(setting.option);
  }
  return text;
}

std::string addresses() {
  std::string text;
  for (const auto& route : route_table()) {
    std::string about(route.summary);
    about += ".\n";
    if (!route.request.empty()) about += "Request: " + std::string(route.request) + ". ";
    about += route.reply.empty() ? "" : "Answer: " + std::string(route.reply) + ".";
    text += roff_item(roff_bold(route.method) + " " + roff_bold(route.path) + roff_italic(route.query), about);
  }
  return text;
}

}  // namespace

std::string page_of(const Command& command) {
  return "usvc-" + std::string(command.name);
}

std::string flag_items(const std::vector<Flag>& flags) {
  std::string text;
  for (const auto& flag : flags) text += roff_item(flag_tag(flag), std::string(flag.help) + ".");
  return text;
}

std::string command_synopsis(const Command& command) {
  std::string line = roff_bold("usvc") + " " + roff_bold(command.name);
  if (command.flags != nullptr) line += " [" + roff_italic("OPTION") + "…]";
  if (command.options == Options::before_words) line += " [" + roff_bold("--") + "]";
  return line + argument_words(command.arguments) + "\n";
}

Result<std::string> expand_table(std::string_view words) {
  const auto space = words.find(' ');
  const std::string_view table = words.substr(0, space);
  const std::string argument(space == std::string_view::npos ? "" : trim(words.substr(space)));
  std::string text;
  if (table == "commands") text = commands();
  if (table == "options") text = flag_items(leading_flags());
  if (table == "keys") text = keys();
  if (table == "settings") text = settings_of(argument);
  if (table == "addresses") text = addresses();
  if (table == "shape") text = shape_items(argument);
  if (text.empty()) return fail("there is no table '" + std::string(words) + "'");
  return text;
}

}  // namespace usvc
