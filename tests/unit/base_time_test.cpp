#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

#include "base/time.h"

namespace usvc {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(ParseDuration, ReadsUnitsAndPlainSeconds) {
  const std::vector<std::pair<std::string, Duration>> table = {
      {"90s", seconds(90)},
      {"10m", minutes(10)},
      {"1h30m", minutes(90)},
      {"1.5s", milliseconds(1500)},
      {"300ms", milliseconds(300)},
      {"2d", hours(48)},
      {"0.3", milliseconds(300)},
      {"0", seconds(0)},
      {"0s", seconds(0)},
      {"1d2h3m4s5ms6us7ns", hours(26) + minutes(3) + seconds(4) + nanoseconds(5'006'007)},
      {"1.5d", hours(36)},
      {"0.000000001", nanoseconds(1)},
      {"0.0000000009", nanoseconds(0)},
      {"1.999999999d", nanoseconds(172'799'999'913'600)},
      {"9223372036s", seconds(9223372036)},
  };
  for (const auto& [text, expected] : table) {
    const auto duration = parse_duration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_EQ(*duration, expected) << text;
  }
}

TEST(ParseDuration, RefusesTheRest) {
  for (const char* text : {"",     "s",   "-1s", "-1",  "+1",          "1x",      "1 s",
                           " 1s",  "1s ", "1.s", ".5s", "1m1h",        "1s1s",    "1h30",
                           "1e3",  "nan", "inf", "1S",  "9223372037s", "200000d", "99999999999999999999",
                           "1.5.5"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().kind(), ErrorKind::usage);
  }
}

TEST(FormatDuration, WritesWhatAPersonWould) {
  const std::vector<std::pair<Duration, std::string>> table = {
      {seconds(0), "0s"},
      {seconds(10), "10s"},
      {seconds(90), "1m30s"},
      {minutes(90), "1h30m"},
      {milliseconds(300), "300ms"},
      {milliseconds(1500), "1.5s"},
      {hours(48), "2d"},
      {nanoseconds(1'500'000), "1500us"},
      {nanoseconds(1), "1ns"},
      {minutes(1) + milliseconds(300), "1m300ms"},
      {hours(1) + milliseconds(30'500), "1h30.5s"},
      {-seconds(5), "-5s"},
  };
  for (const auto& [duration, expected] : table) EXPECT_EQ(format_duration(duration), expected);
}

TEST(FormatDuration, IsReadBackExactly) {
  std::vector<Duration> table = {Duration::max()};
  for (std::int64_t count = 1; count < std::numeric_limits<std::int64_t>::max() / 13; count *= 13) {
    for (const std::int64_t extra : {0, 1, 999, 1000}) table.emplace_back(count + extra);
  }
  for (const Duration duration : table) {
    const auto back = parse_duration(format_duration(duration));
    ASSERT_TRUE(back) << format_duration(duration);
    EXPECT_EQ(*back, duration) << format_duration(duration);
  }
}

TEST(FormatAge, UsesOneOrTwoUnits) {
  const std::vector<std::pair<double, std::string>> table = {
      {0, "0s"},           {0.05, "0s"},  {0.3, "0.3s"},       {0.999, "0.9s"},         {1, "1s"},
      {9.9, "9s"},         {59.9, "59s"}, {60, "1m"},          {90, "1m30s"},           {599, "9m59s"},
      {840, "14m"},        {859, "14m"},  {3600, "1h"},        {8040, "2h14m"},         {36001, "10h"},
      {86399, "23h"},      {86400, "1d"}, {3 * 86400.0, "3d"}, {999 * 86400.0, "999d"}, {-5, "0s"},
      {std::nan(""), "0s"}};
  for (const auto& [age, expected] : table) EXPECT_EQ(format_age(age), expected) << age;
}

TEST(FormatAge, HasAtMostFiveCharactersBelowAThousandDays) {
  for (double age = 0.01; age < 1000 * 86400.0; age *= 1.01) {
    EXPECT_LE(format_age(age).size(), 5U) << age << " is " << format_age(age);
  }
}

// A fixed time zone with summer time, whatever the machine has.
class CalendarTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* zone = std::getenv("TZ"); zone != nullptr) before_ = zone;
    set("CET-1CEST,M3.5.0,M10.5.0/3");
  }
  void TearDown() override { set(before_); }

 private:
  static void set(const std::string& zone) {
    if (zone.empty()) {
      ::unsetenv("TZ");
    } else {
      ::setenv("TZ", zone.c_str(), 1);
    }
    ::tzset();
  }
  std::string before_;
};

constexpr double november = 1'795'338'000;  // 2026-11-22 10:00:00 in the test's zone

TEST_F(CalendarTest, FormatsLocalTime) {
  EXPECT_EQ(format_time(november), "2026-11-22 10:00:00");
  EXPECT_EQ(format_time(november + 0.999), "2026-11-22 10:00:00");
  EXPECT_EQ(format_time(november + 0.123, true), "2026-11-22 10:00:00.123");
  EXPECT_EQ(format_time(november + 0.9999, true), "2026-11-22 10:00:00.999");
  EXPECT_EQ(format_time(0), "1970-01-01 01:00:00");
  EXPECT_EQ(format_time(-0.5, true), "1970-01-01 00:59:59.500");
}

TEST_F(CalendarTest, WhatIsNoTimeIsShownAsNone) {
  for (const double time : {1e17, -1e300, std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_EQ(format_time(time), "-");
    EXPECT_EQ(format_time(time, true), "-");
  }
  EXPECT_EQ(format_time(6.0e10, true), "3871-04-29 12:40:00.000");
}

TEST_F(CalendarTest, ReadsTimes) {
  const std::vector<std::pair<std::string, double>> table = {
      {"10m", november - 600},
      {"1h30m", november - 5400},
      {"90", november - 90},
      {"2026-11-22", november - 36'000},
      {"2026-11-22 10:00", november},
      {"2026-11-22 10:00:05", november + 5},
      {"2026-11-22T10:00:05", november + 5},
      {"2026-11-22 10:00:05.5", november + 5.5},
      {"10:30", november + 1800},
      {"09:59:59", november - 1},
      {"@1764000000", 1'764'000'000},
      {"@1764000000.25", 1'764'000'000.25},
      {"2026-07-01 12:00", 1'782'900'000},  // summer time
  };
  for (const auto& [text, expected] : table) {
    const auto time = parse_time(text, november + 0.0);
    ASSERT_TRUE(time) << text;
    EXPECT_DOUBLE_EQ(*time, expected) << text;
  }
}

TEST_F(CalendarTest, TodayStartsAtMidnight) {
  // The seconds of "now" must not leak into a time given by hours and minutes.
  EXPECT_DOUBLE_EQ(parse_time("10:00", november + 37.5).value(), november);
}

TEST_F(CalendarTest, RefusesTimesThatDoNotExist) {
  for (const char* text : {"",
                           "yesterdayish",
                           "2026-02-30",
                           "2026-13-01",
                           "2026-00-01",
                           "2026-11-00",
                           "2026-11-32",
                           "2026-11",
                           "2026-11-22 ",
                           "2026-11-22 25:00",
                           "2026-11-22 10:60",
                           "2026-11-22 10",
                           "24:00",
                           "1:00",
                           "10:0",
                           "10:00:",
                           "10:00:61",
                           "10:00x",
                           "@",
                           "@x",
                           "@-1",
                           "@99999999999999",
                           "-10m",
                           "2026-11-22  10:00"}) {
    const auto time = parse_time(text, november);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().kind(), ErrorKind::usage);
  }
}

TEST_F(CalendarTest, WhatIsFormattedIsReadBack) {
  for (double time = 0; time < 4e9; time += 98'765'432.1) {
    const auto back = parse_time(format_time(time, true), november);
    ASSERT_TRUE(back) << format_time(time, true);
    EXPECT_NEAR(*back, time, 0.002) << format_time(time, true);
  }
}

TEST(BoundedSeconds, CanAlwaysBeAddedToAClock) {
  EXPECT_EQ(bounded_seconds(1.5), std::chrono::milliseconds(1500));
  EXPECT_EQ(bounded_seconds(-2), -std::chrono::seconds(2));
  EXPECT_EQ(bounded_seconds(1e300), std::chrono::seconds(1'000'000'000));
  EXPECT_EQ(bounded_seconds(-std::numeric_limits<double>::infinity()), -std::chrono::seconds(1'000'000'000));
  EXPECT_EQ(bounded_seconds(std::nan("")), Duration::zero());
}

TEST(UnixNow, IsTheWallClock) {
  const auto before = static_cast<double>(std::time(nullptr));
  const double now = unix_now();
  // time() may lag behind by a clock tick.
  EXPECT_GE(now, before);
  EXPECT_LE(now, static_cast<double>(std::time(nullptr)) + 1.1);
}

TEST(ParseTime, AZoneMayFollowTheClock) {
  const std::vector<std::pair<std::string, double>> table = {
      {"2026-11-27T01:00:00Z", 1795741200},      {"2026-11-27 01:00Z", 1795741200},
      {"2026-11-27T01:00:00+02:00", 1795734000}, {"2026-11-27T01:00:00.5+0200", 1795734000.5},
      {"2026-11-27T01:00:00-03:30", 1795753800}, {"2026-11-27T01:00:00+02", 1795734000},
      {"2024-02-29T23:59:59z", 1709251199},
  };
  for (const auto& [text, expected] : table) {
    const auto moment = parse_time(text, 1'800'000'000);
    ASSERT_TRUE(moment) << text;
    EXPECT_EQ(*moment, expected) << text;
  }
  for (const char* text :
       {"2026-11-27Z", "10:00Z", "2026-11-27T01:00:00+", "2026-11-27T01:00:00+2", "2026-02-30T01:00Z",
        "2026-11-27T01:00:00+02:", "2026-11-27T01:00:00+24:00", "2026-11-27T01:00:00ZZ", "2026-11-27T01:00:00 Z",
        "yesterday 10:00Z", "yesterdays", "todayT", "yesterday "}) {
    EXPECT_FALSE(parse_time(text, 1'800'000'000)) << text;
  }
}

TEST(ParseTime, YesterdayAndToday) {
  const double now = *parse_time("2026-03-01 12:34:56", 0);
  EXPECT_EQ(*parse_time("today", now), *parse_time("2026-03-01", 0));
  EXPECT_EQ(*parse_time("yesterday", now), *parse_time("2026-02-28", 0));
  EXPECT_EQ(*parse_time("yesterday 10:00", now), *parse_time("2026-02-28 10:00", 0));
  EXPECT_EQ(*parse_time("10:00", now), *parse_time("2026-03-01 10:00", 0));
}

}  // namespace
}  // namespace usvc
