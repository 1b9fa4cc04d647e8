#include <gtest/gtest.h>

#include "job/settings.h"

namespace usvc {

namespace {

TEST(Settings, WithoutAnyTheDefaultsHold) {
  const auto settings = settings_from({});
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->log_total, std::uint64_t{4} << 30U);
  EXPECT_EQ(settings->longest_wait, std::chrono::minutes(5));
  EXPECT_TRUE(settings->start.empty());
}

// A default that the table tells people must be the one that holds.
TEST(Settings, TheDefaultsAreWhatTheTableSays) {
  std::vector<SettingEntry> entries;
  for (const auto& setting : setting_table()) {
    if (setting.section == "start") continue;
    entries.push_back(
        {std::string(setting.section), std::string(setting.option.key), std::string(setting.option.default_text)});
  }
  const auto said = settings_from(entries);
  ASSERT_TRUE(said.has_value()) << said.error().message();
  const Settings held;
  EXPECT_EQ(said->log_total, held.log_total);
  EXPECT_EQ(said->first_wait, held.first_wait);
  EXPECT_EQ(said->longest_wait, held.longest_wait);
  EXPECT_EQ(said->alert_pause, held.alert_pause);
  EXPECT_EQ(said->alert_lines, held.alert_lines);
}

TEST(Settings, EveryOptionOfStartButNameAndLogMayHaveADefault) {
  for (const auto& option : option_table()) {
    bool found = false;
    for (const auto& setting : setting_table()) {
      found = found || (setting.section == "start" && setting.option.key == option.key);
    }
    EXPECT_EQ(found, !option.flag.empty() && option.key != "name" && option.key != "log") << option.key;
  }
}

TEST(Settings, TheLastOfTwoCounts) {
  const auto settings = settings_from({{"core", "log-total", "1M"},
                                       {"core", "log-total", "2M"},
                                       {"backoff", "longest-wait", "10s"},
                                       {"start", "stop-timeout", "3s"}});
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->log_total, 2U << 20U);
  EXPECT_EQ(settings->longest_wait, std::chrono::seconds(10));
  ASSERT_EQ(settings->start.size(), 1U);
  EXPECT_EQ(settings->start[0].first, "stop-timeout");
}

TEST(Settings, WhatIsNotKnownIsNamedWithWhatWasMeant) {
  const struct {
    SettingEntry entry;
    const char* expected;
  } cases[] = {
      {{"core", "log-totl", "1"}, "core.log-totl: there is no such setting (did you mean core.log-total?)"},
      {{"start", "stop-timout", "1"}, "start.stop-timout: there is no such setting (did you mean start.stop-timeout?)"},
      {{"strat", "settle", "1"}, "strat.settle: there is no such setting (did you mean start.settle?)"},
      {{"what", "ever", "1"}, "what.ever: there is no such setting (man usvc.conf)"},
      {{"strat", "nic", "1"}, "strat.nic: there is no such setting (did you mean start.nice?)"},
      {{"core", "log-max-size", "1"}, "core.log-max-size: there is no such setting (did you mean start.log-max-size?)"},
      {{"backoff", "first", "1"}, "backoff.first: there is no such setting (did you mean backoff.first-wait?)"},
      {{"start", "env", "A=b"}, "start.env: there is no such setting (man usvc.conf)"},
      {{"start", "name", "x"}, "start.name: it is one job's own and has no default (usvc start --name)"},
  };
  for (const auto& [entry, expected] : cases) {
    const auto settings = settings_from({entry});
    ASSERT_FALSE(settings.has_value()) << entry.key;
    EXPECT_TRUE(settings.error().message().starts_with(expected)) << settings.error().message();
  }
}

TEST(Settings, AWrongValueIsNamed) {
  for (const SettingEntry& entry :
       {SettingEntry{"core", "log-total", "much"}, SettingEntry{"backoff", "first-wait", "-1s"},
        SettingEntry{"start", "tty", "perhaps"}, SettingEntry{"start", "cwd", "relative"}}) {
    const auto settings = settings_from({entry});
    ASSERT_FALSE(settings.has_value()) << entry.key;
    EXPECT_TRUE(settings.error().message().starts_with(entry.section + "." + entry.key + ": "))
        << settings.error().message();
  }
}

}  // namespace

}  // namespace usvc
