#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

#include "cli/command.h"
#include "job/options.h"
#include "job/settings.h"
#include "manual/pages.h"
#include "manual/roff.h"
#include "manual/tables.h"

namespace usvc {

namespace {

// The pages as people read them, near enough: without fonts and escapes.
std::string plain(std::string text) {
  text = std::regex_replace(text, std::regex(R"(\\f[BIRP])"), "");
  text = std::regex_replace(text, std::regex(R"(\\-)"), "-");
  text = std::regex_replace(text, std::regex(R"(\\\(aq)"), "'");
  return std::regex_replace(text, std::regex(R"(\\\(ti)"), "~");
}

std::map<std::string, std::string> pages() {
  std::map<std::string, std::string> result;
  const auto made = manual_pages(USVC_MANUAL);
  if (!made) {
    ADD_FAILURE() << made.error().message();
    return result;
  }
  for (const auto& page : *made) result[page.name] = plain(page.text);
  return result;
}

std::set<std::string> all_flags() {
  std::set<std::string> flags;
  for (const auto& flag : leading_flags()) flags.emplace(flag.name);
  for (const auto& command : command_table()) {
    if (command.flags == nullptr) continue;
    for (const auto& flag : command.flags()) flags.emplace(flag.name);
  }
  return flags;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ManualPages, EveryCommandAndItsOptionsAreInAPage) {
  auto all = pages();
  for (const auto& command : command_table()) {
    const std::string& page = all[page_of(command) + ".1"];
    EXPECT_TRUE(has(page, std::string(command.summary))) << command.name;
    EXPECT_TRUE(has(all["usvc.1"], "\n" + std::string(command.name))) << command.name;
    if (command.flags == nullptr) continue;
    for (const auto& flag : command.flags()) {
      if (!is_listed(command, flag)) continue;
      EXPECT_TRUE(has(page, std::string(flag.name))) << command.name << " " << flag.name;
      const std::string letter = flag.letter != 0 ? std::string("-") + flag.letter : "";
      EXPECT_TRUE(has(page, letter)) << command.name << " " << letter;
    }
  }
}

TEST(ManualPages, EveryKeyAndSettingIsInAPage) {
  auto all = pages();
  for (const auto& option : option_table()) {
    EXPECT_TRUE(has(all["usvc-job.conf.5"], "\n" + std::string(option.key) + "\n")) << option.key;
  }
  for (const auto& setting : setting_table()) {
    EXPECT_TRUE(has(all["usvc.conf.5"], "\n" + std::string(setting.option.key) + "\n")) << setting.option.key;
  }
}

TEST(ManualPages, NoPageSpeaksOfAnOptionThatIsNotThere) {
  const auto flags = all_flags();
  const std::regex word(R"((^|[^-\w])(--[a-z][a-z-]*))");
  const std::set<std::string> of_others = {"--unix-socket", "--user"};  // curl's and systemctl's
  for (const auto& [name, text] : pages()) {
    for (std::sregex_iterator it(text.begin(), text.end(), word), end; it != end; ++it) {
      const std::string flag = (*it)[2];
      EXPECT_TRUE(flags.contains(flag) || of_others.contains(flag)) << name << ": " << flag;
    }
  }
}

// Prose says what usvc does; what is to be typed is bold.
TEST(ManualPages, NoPageSpeaksOfACommandThatIsNotThere) {
  const std::regex typed(R"((\\fB|\n\.B |\n\.BR "?|\$ \\fB)usvc ([a-z]+))");
  const auto made = manual_pages(USVC_MANUAL);
  ASSERT_TRUE(made.has_value());
  int seen = 0;
  for (const auto& page : *made) {
    for (std::sregex_iterator it(page.text.begin(), page.text.end(), typed), end; it != end; ++it, ++seen) {
      EXPECT_NE(find_command_named((*it)[2].str()), nullptr) << page.name << ": " << it->str();
    }
  }
  EXPECT_GT(seen, 5);
}

TEST(ManualPages, WhatIsReferredToIsThere) {
  const auto all = pages();
  const std::regex reference(R"(\b(usvc[a-z.-]*) \(([1-9])\))");
  for (const auto& [name, text] : all) {
    for (std::sregex_iterator it(text.begin(), text.end(), reference), end; it != end; ++it) {
      EXPECT_TRUE(all.contains((*it)[1].str() + "." + (*it)[2].str())) << name << ": " << it->str();
    }
  }
}

TEST(ManualPages, ATableThatIsNotThereIsNamed) {
  EXPECT_FALSE(expand_table("nothing").has_value());
  EXPECT_FALSE(expand_table("shape Nothing").has_value());
  EXPECT_FALSE(expand_table("settings nothing").has_value());
}

TEST(Roff, NothingOfOursIsTakenForARequestOrAnEscape) {
  EXPECT_EQ(roff_lines(".TH\n'x\n"), "\\&.TH\n\\(aqx\n");
  EXPECT_EQ(roff_text("\\n --a ~X"), "\\en \\-\\-a \\(tiX");
}

}  // namespace

}  // namespace usvc
