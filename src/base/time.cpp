#include "base/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <limits>
#include <optional>
#include <utility>

#include "base/text.h"

namespace usvc {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
// Largest first; each at most once, and in this order, in a written duration.
constexpr std::array<Unit, 7> units{{{"d", 86'400'000'000'000},
                                     {"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};
constexpr std::int64_t second = 1'000'000'000;

// A decimal number, exact to a billionth, since 0.3 has no exact double.
struct Decimal {
  std::uint64_t whole = 0;
  std::uint64_t billionths = 0;
};

std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal number;
  const auto [stopped, why] = std::from_chars(text.data(), text.data() + text.size(), number.whole);
  if (text.empty() || why != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
  if (!text.starts_with('.')) return number;
  text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return std::nullopt;
  std::uint64_t scale = static_cast<std::uint64_t>(second) / 10;
  while (!text.empty() && is_digit(text[0])) {
    number.billionths += static_cast<std::uint64_t>(text[0] - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
  }
  return number;
}

// False when the sum does not fit.
bool add(std::int64_t& sum, const Decimal& number, std::int64_t unit) {
  const auto billionths = static_cast<std::int64_t>(number.billionths);
  // Either way at most a billion times 86,400 or 1,000,000: no overflow.
  const std::int64_t fraction = unit >= second ? billionths * (unit / second) : billionths * unit / second;
  std::int64_t product = 0;
  return number.whole <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) &&
         !__builtin_mul_overflow(static_cast<std::int64_t>(number.whole), unit, &product) &&
         !__builtin_add_overflow(sum, product, &sum) && !__builtin_add_overflow(sum, fraction, &sum);
}

std::string_view take_unit_name(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && text[length] >= 'a' && text[length] <= 'z') ++length;
  const std::string_view name = text.substr(0, length);
  text.remove_prefix(length);
  return name;
}

std::optional<std::int64_t> read_duration(std::string_view text) {
  std::int64_t sum = 0;
  const auto* next_unit = units.begin();
  const bool has_unit = text.find_first_of("dhmsun") != std::string_view::npos;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto number = take_decimal(text);
    if (!number) return std::nullopt;
    const std::string_view name = has_unit ? take_unit_name(text) : "s";
    const auto* unit =
        std::find_if(next_unit, units.end(), [&](const Unit& candidate) { return candidate.name == name; });
    if (unit == units.end() || !add(sum, *number, unit->nanoseconds)) return std::nullopt;
    next_unit = unit + 1;
  }
  return sum;
}

// "1.5" for 1'500'000'000: without trailing zeros.
std::string decimal_seconds(std::uint64_t nanoseconds) {
  std::string fraction = std::to_string(nanoseconds % static_cast<std::uint64_t>(second));
  fraction.insert(0, 9 - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  const std::string whole = std::to_string(nanoseconds / static_cast<std::uint64_t>(second));
  return fraction.empty() ? whole : whole + "." + fraction;
}

// Exactly `count` digits.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text, std::tm& when) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return false;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return false;
  const auto day = take_digits(text, 2);
  if (!day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return false;
  when.tm_year = *year - 1900;
  when.tm_mon = *month - 1;
  when.tm_mday = *day;
  return true;
}

// HH:MM[:SS[.fraction]]
bool take_clock(std::string_view& text, std::tm& when, double& fraction) {
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return false;
  const auto minute = take_digits(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return false;
  when.tm_hour = *hour;
  when.tm_min = *minute;
  if (!take(text, ':')) return true;
  if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) return false;
  const auto seconds = take_decimal(text);
  if (!seconds || seconds->whole > 60) return false;
  when.tm_sec = static_cast<int>(seconds->whole);
  fraction = static_cast<double>(seconds->billionths) / static_cast<double>(second);
  return true;
}

std::optional<double> local_time(std::tm when) {
  const int day = when.tm_mday;
  when.tm_isdst = -1;
  const std::time_t seconds = std::mktime(&when);
  // mktime turns 30 February into 2 March; nobody who writes that means it.
  if (when.tm_mday != day) return std::nullopt;
  return static_cast<double>(seconds);
}

// "Z", "+02:00", "+0200", "+02": how far ahead of universal time a clock is, in seconds.
std::optional<int> take_zone(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23) return std::nullopt;
  const bool colon = take(text, ':');
  const auto minutes = colon || !text.empty() ? take_digits(text, 2) : std::optional<int>(0);
  if (!minutes || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

std::optional<double> universal_time(std::tm when, int ahead) {
  const int day = when.tm_mday;
  const std::time_t seconds = ::timegm(&when);
  if (when.tm_mday != day) return std::nullopt;
  return static_cast<double>(seconds) - ahead;
}

// The beginning of the day, so many days ago.
std::optional<std::tm> day_ago(double now, int days) {
  const auto moment = static_cast<std::time_t>(now);
  std::tm when{};
  if (::localtime_r(&moment, &when) == nullptr) return std::nullopt;
  when.tm_hour = when.tm_min = when.tm_sec = 0;
  when.tm_mday -= days;
  when.tm_isdst = -1;
  // 0 March becomes the last of February.
  (void)std::mktime(&when);
  when.tm_hour = 0;
  return when;
}

// What stands before the clock; nothing: it is no day. `text` is left at what follows it.
std::optional<std::tm> take_day(std::string_view& text, double now) {
  constexpr std::array<std::string_view, 2> words{"today", "yesterday"};
  for (std::size_t days = 0; days < words.size(); ++days) {
    if (!text.starts_with(words[days])) continue;
    text.remove_prefix(words[days].size());
    return day_ago(now, static_cast<int>(days));
  }
  std::tm when{};
  return take_date(text, when) ? std::optional(when) : std::nullopt;
}

std::optional<double> read_calendar_time(std::string_view text, double now) {
  double fraction = 0;
  const bool dated = text.size() > 4 && text[4] == '-';
  const bool has_day = dated || text.starts_with("today") || text.starts_with("yesterday");
  auto when = has_day ? take_day(text, now) : day_ago(now, 0);
  if (!when) return std::nullopt;
  if (has_day) {
    if (text.empty()) return local_time(*when);
    if (!take(text, ' ') && !take(text, 'T')) return std::nullopt;
  }
  if (!take_clock(text, *when, fraction)) return std::nullopt;
  std::optional<double> seconds;
  if (text.empty()) {
    seconds = local_time(*when);
  } else if (dated) {
    const auto ahead = take_zone(text);
    if (!ahead || !text.empty()) return std::nullopt;
    seconds = universal_time(*when, *ahead);
  }
  return seconds ? std::optional<double>(*seconds + fraction) : std::nullopt;
}

std::optional<double> read_unix_time(std::string_view text) {
  const auto number = take_decimal(text);
  // Beyond the year 9999 it is a mistyped unit.
  if (!number || !text.empty() || number->whole > 253'402'300'799) return std::nullopt;
  return static_cast<double>(number->whole) + static_cast<double>(number->billionths) / static_cast<double>(second);
}

}  // namespace

double unix_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t unix_now_us() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

Duration bounded_seconds(double seconds) {
  constexpr double thirty_years = 1e9;
  if (std::isnan(seconds)) return Duration::zero();
  const std::chrono::duration<double> bounded(std::clamp(seconds, -thirty_years, thirty_years));
  return std::chrono::duration_cast<Duration>(bounded);
}

Result<Duration> parse_duration(std::string_view text) {
  if (const auto nanoseconds = read_duration(text)) return Duration(*nanoseconds);
  return fail(Error("'" + printable(text) + "' is not a length of time", ErrorKind::usage)
                  .hint("like 90s, 10m, 1h30m, 300ms, or plain seconds"));
}

std::string format_duration(Duration duration) {
  if (duration < Duration::zero()) {
    // The most negative count has no positive counterpart; one nanosecond is the price.
    return "-" + format_duration(-std::max(duration, -Duration::max()));
  }
  auto rest = static_cast<std::uint64_t>(duration.count());
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : units) {
    const auto size = static_cast<std::uint64_t>(unit.nanoseconds);
    if (unit.nanoseconds == second && rest > size && rest % size != 0) return text + decimal_seconds(rest) + "s";
    const std::uint64_t count = rest / size;
    // Below a second one unit says it all: 1500us, not 1ms500us.
    if (count == 0 || (unit.nanoseconds < second && rest % size != 0)) continue;
    text += std::to_string(count);
    text += unit.name;
    rest -= count * size;
  }
  return text;
}

std::string format_age(double seconds) {
  std::array<char, 32> text{};
  if (!(seconds >= 0.1)) return "0s";  // also when it is not a number
  if (seconds < 1) {
    (void)std::snprintf(text.data(), text.size(), "%.1fs", std::floor(seconds * 10) / 10);
    return text.data();
  }
  const auto whole = static_cast<long long>(std::min(seconds, 1e15));
  if (whole < 60) return std::to_string(whole) + "s";
  const auto two_units = [](long long large, char large_unit, long long small, char small_unit) {
    std::string result = std::to_string(large) + large_unit;
    if (large < 10 && small > 0) result += std::to_string(small) + small_unit;
    return result;
  };
  if (whole < 3600) return two_units(whole / 60, 'm', whole % 60, 's');
  if (whole < 86400) return two_units(whole / 3600, 'h', whole % 3600 / 60, 'm');
  return std::to_string(whole / 86400) + "d";
}

std::string seconds_words(double seconds) {
  const auto rounded = [](double value, int digits, const char* unit) {
    std::array<char, 48> text{};
    (void)std::snprintf(text.data(), text.size(), "%.*f %s", digits, value, unit);
    return std::string(text.data());
  };
  if (seconds < 1) return rounded(std::max(seconds, 0.0), 2, "s");
  // 9 s, not 9.0 s.
  const double tenths = std::round(seconds * 10);
  if (tenths < 100 && std::fmod(tenths, 10) != 0) return rounded(tenths / 10, 1, "s");
  if (seconds < 120) return rounded(seconds, 0, "s");
  if (seconds < 7200) return rounded(seconds / 60, 0, "min");
  if (seconds < 48.0 * 3600) return rounded(seconds / 3600, 0, "h");
  return rounded(seconds / 86400, 0, "days");
}

std::string format_time(double unix_seconds, bool millis) {
  // localtime_r(3) has an int for the year; what is beyond that, or not a number, is no time.
  if (!(std::abs(unix_seconds) < 6e16)) return "-";
  const double floor = std::floor(unix_seconds);
  // Half a microsecond makes up for what a double near 2^31 cannot hold exactly.
  const int milliseconds = std::min(999, static_cast<int>((unix_seconds - floor) * 1000 + 0.0005));
  const auto seconds = static_cast<std::time_t>(floor);
  std::tm when{};
  std::array<char, 64> text{};
  if (::localtime_r(&seconds, &when) == nullptr) return "-";
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &when);
  std::string result = text.data();
  if (millis) {
    (void)std::snprintf(text.data(), text.size(), ".%03d", milliseconds);
    result += text.data();
  }
  return result;
}

Result<double> parse_time(std::string_view text, double now) {
  if (const auto ago = read_duration(text)) return now - static_cast<double>(*ago) / static_cast<double>(second);
  const auto found = text.starts_with('@') ? read_unix_time(text.substr(1)) : read_calendar_time(text, now);
  if (found) return *found;
  return fail(Error("'" + printable(text) + "' is not a time", ErrorKind::usage)
                  .hint("like 10m (ago), 10:00, yesterday, '2026-11-22 10:00', 2026-11-22T10:00:00Z or @1764000000"));
}

}  // namespace usvc
