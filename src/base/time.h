// The one place where times are taken, written and read.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"

namespace usvc {

using Duration = std::chrono::nanoseconds;

// Wall clock, seconds since 1970 with fractions: for people and records, never for deadlines.
double unix_now();
// The same in whole microseconds.
std::int64_t unix_now_us();

// Seconds that somebody else has written, a damaged journal say: at most thirty years either way, so that any clock can
// be moved by it; zero for what is not a number.
Duration bounded_seconds(double seconds);

// "90s", "10m", "1h30m", "1.5s", "300ms", "2d", or plain seconds ("0.3"). Negative and empty are errors.
Result<Duration> parse_duration(std::string_view text);
// The shortest form parse_duration reads back to the same value: "10s", "1h30m", "300ms", "0s".
std::string format_duration(Duration duration);
// For people, one or two units at most: "3d", "2h", "14m", "9s", "0.3s". Never longer than 5 characters under 1,000
// days.
std::string format_age(double seconds);
// For sentences: "0.02 s", "3.2 s", "14 min", "5 h", "3 days".
std::string seconds_words(double seconds);
// Local time, "2026-11-22 10:00:00"; with millis "2026-11-22 10:00:00.123".
std::string format_time(double unix_seconds, bool millis = false);
// A point in time as a person writes it: "10m" (ago), "2026-11-22", "2026-11-22 10:00[:00]", "10:00" (today),
// "today", "yesterday", both also with a clock behind them ("yesterday 10:00"), "@1764000000". With a date, a zone may
// follow the clock ("2026-11-22T10:00:00Z", "+02:00"); else it is local time.
Result<double> parse_time(std::string_view text, double now);

}  // namespace usvc
