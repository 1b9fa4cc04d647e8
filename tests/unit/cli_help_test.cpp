#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/text.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "job/options.h"

namespace usvc {
namespace {

TEST(CliHelp, OverviewFitsASmallTerminal) {
  const std::string text = help_overview();
  const auto lines = split(trim(text), '\n');
  EXPECT_LE(lines.size(), 23U) << "the prompt needs a line too";
  for (const auto line : lines) EXPECT_LE(display_width(line), 80U) << line;
  for (const auto& command : command_table()) {
    EXPECT_EQ(text.find(command.summary) != std::string::npos, command.listed) << command.name;
  }
}

TEST(CliHelp, EveryPageFitsTheWidth) {
  for (const auto& command : command_table()) {
    const std::string text = help_of(command);
    for (const auto line : split(text, '\n')) EXPECT_LE(display_width(line), 80U) << line;
    const bool takes_it = command.name != "top" && command.name != "attach";
    EXPECT_EQ(text.find("--json  ") != std::string::npos, takes_it) << command.name;
  }
}

TEST(CliHelp, StartShowsEveryOptionOfTheTable) {
  const std::string text = help_of(*find_command_named("start"));
  for (const auto& option : option_table()) {
    if (option.flag.empty()) continue;
    EXPECT_NE(text.find(std::string(option.flag) + " "), std::string::npos) << option.flag;
  }
  EXPECT_NE(text.find("-1, --once                run it once only\n"), std::string::npos) << text;
}

TEST(CliHelp, RunShowsNoOptionsThatItRefuses) {
  const std::string text = help_of(*find_command_named("run"));
  EXPECT_EQ(text.find("--restart"), std::string::npos) << text;
  EXPECT_EQ(text.find("--once"), std::string::npos) << text;
  EXPECT_NE(text.find("--cwd"), std::string::npos) << text;
}

TEST(CliCommands, NamesAndAliasesAreUniqueAndFound) {
  std::set<std::string, std::less<>> seen;
  for (const auto& command : command_table()) {
    ASSERT_NE(command.run, nullptr) << command.name;
    EXPECT_TRUE(seen.emplace(command.name).second) << command.name;
    EXPECT_EQ(find_command_named(command.name), &command);
    for (const auto alias : split(command.aliases, ' ')) {
      if (alias.empty()) continue;
      EXPECT_TRUE(seen.emplace(alias).second) << alias;
      EXPECT_EQ(find_command_named(alias), &command);
    }
  }
  EXPECT_EQ(find_command_named(""), nullptr);
  EXPECT_EQ(find_command_named("star"), nullptr);
}

TEST(CliCommands, ContractAliases) {
  const std::pair<const char*, const char*> cases[] = {
      {"ls", "status"}, {"list", "status"},  {"ps", "status"},   {"st", "status"},    {"logs", "log"}, {"tail", "log"},
      {"rm", "clean"},  {"delete", "clean"}, {"kill", "signal"}, {"describe", "why"}, {"info", "why"}};
  for (const auto& [alias, name] : cases) {
    const Command* command = find_command_named(alias);
    ASSERT_NE(command, nullptr) << alias;
    EXPECT_EQ(command->name, name);
  }
}

TEST(CliCommands, SuggestsTheNearest) {
  EXPECT_EQ(unknown_command("stauts").message(), "there is no command 'stauts' (did you mean status?)");
  EXPECT_EQ(unknown_command("xyzzyplugh").message(), "there is no command 'xyzzyplugh' (usvc help)");
  EXPECT_EQ(unknown_command("stauts").kind(), ErrorKind::usage);
}

TEST(CliCommands, NoFlagHasTwoMeanings) {
  for (const auto& command : command_table()) {
    std::set<std::string, std::less<>> names;
    std::set<char> letters;
    auto flags = command.flags == nullptr ? std::vector<Flag>() : command.flags();
    for (const auto& flag : leading_flags()) flags.push_back(flag);
    for (const auto& flag : flags) {
      EXPECT_TRUE(names.emplace(flag.name).second) << command.name << " " << flag.name;
      if (flag.letter == 0) continue;
      EXPECT_TRUE(letters.insert(flag.letter).second) << command.name << " -" << flag.letter;
    }
  }
}

}  // namespace
}  // namespace usvc
