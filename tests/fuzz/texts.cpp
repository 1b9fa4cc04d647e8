// Sizes, times, signals, limits and the like as people write them: what is read can be written and read again.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/signals.h"
#include "base/text.h"
#include "base/time.h"
#include "fuzz.h"
#include "job/limits.h"
#include "job/names.h"
#include "job/options.h"
#include "job/run_id.h"

namespace {

using namespace usvc;
using fuzz::must;

constexpr double now = 1'764'000'000.25;

bool is_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// A value that is refused is refused in one line.
template <class T>
bool taken(const Result<T>& result) {
  if (!result) fuzz::must_be_one_line(result.error());
  return result.has_value();
}

void check_values(std::string_view text) {
  if (const auto size = parse_size(text); taken(size)) {
    must(format_size(*size).size() <= 5, "a size is short", format_size(*size));
    must(parse_size(std::to_string(*size)) == *size, "a size in bytes is a size");
  }
  if (const auto duration = parse_duration(text); taken(duration)) {
    must(*duration >= Duration::zero(), "a duration is not negative");
    const std::string written = format_duration(*duration);
    must(parse_duration(written) == *duration, "a duration is written and read the same", written);
  }
  if (const auto number = parse_number(text); taken(number)) {
    must(parse_number(std::to_string(*number)) == *number, "a number is written and read the same");
  }
  if (const auto signal = parse_signal(text); taken(signal)) {
    must(parse_signal(signal_name(*signal)) == *signal, "a signal is written and read the same", signal_name(*signal));
  }
  if (const auto limit = parse_limit(text); taken(limit)) {
    must(limit->soft <= limit->hard, "the soft limit is the lower one");
    must(parse_limit(format_limit(*limit)) == *limit, "a limit is written and read the same", format_limit(*limit));
  }
  if (const auto id = parse_run_id(text); taken(id)) {
    must(make_run_id(id->name, id->number, id->nonce) == text, "a run id is written as it was read");
  }
  if (const auto mask = parse_umask(text)) must(*mask >= 0 && *mask <= 0777, "a umask has nine bits");
  for (const Option& option : option_table()) (void)taken(check_value(option, text));
}

void check_times(std::string_view text) {
  if (const auto time = parse_time(text, now); taken(time)) {
    must(std::isfinite(*time), "a time is a number");
    must(is_line(format_time(*time, true)), "a time can be shown");
    // Not in the hour that comes twice a year; the tests run in UTC, which has none.
    const auto again = parse_time(format_time(std::floor(*time)), now);
    if (*time >= 0 && *time < 2.5e11)
      must(again == std::floor(*time), "a shown time is read the same", format_time(*time));
  }
  if (text.size() < sizeof(double)) return;
  double any = 0;
  std::memcpy(&any, text.data(), sizeof any);
  must(is_line(format_time(any, true)) && is_line(format_age(any)) && is_line(seconds_words(any)),
       "any time can be shown");
}

// sh(1)'s rules for the two kinds of words that shell_quote() makes.
std::string unquoted(std::string_view word) {
  std::string text;
  bool inside = false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\'')
      inside = !inside;
    else if (word[i] == '\\' && !inside)
      text += word[++i];
    else
      text += word[i];
  }
  must(!inside, "a quote ends");
  return text;
}

void check_texts(std::string_view text) {
  const std::string shown = printable(text);
  must(is_line(shown) && printable(shown) == shown, "what is printable stays so", shown);
  must(unquoted(shell_quote(text)) == text, "a shell word is read as it was", shell_quote(text));
  const std::string group = group_from_command(text);
  must(check_group_name(group) && check_job_name(member_name(group, 9'999'999)), "a made name is a good one", group);
  std::string joined;
  for (const auto part : split(text, '\n')) joined.append(part).append("\n");
  joined.pop_back();
  must(joined == text, "split leaves nothing out");
}

void check_order(std::string_view text) {
  const auto words = split(text, '\n');
  if (words.size() < 3) return;
  const auto a = words[0];
  const auto b = words[1];
  const auto c = words[2];
  must(!natural_less(a, a) && !(natural_less(a, b) && natural_less(b, a)), "the order has one direction");
  must(a == b || natural_less(a, b) || natural_less(b, a), "different names are in an order");
  if (natural_less(a, b) && natural_less(b, c)) must(natural_less(a, c), "the order is one");
  const std::vector<std::string> candidates(words.begin() + 1, words.end());
  const std::string near = nearest(a, candidates);
  must(near.empty() || std::ranges::find(candidates, near) != candidates.end(), "a suggestion is a candidate", near);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool in_utc = ::setenv("TZ", "UTC", 1) == 0;
  must(in_utc, "the time zone can be set");
  const std::string_view text = fuzz::text_of(data, size);
  check_values(text);
  check_times(text);
  check_texts(text);
  if (size < 2000) check_order(text);
  return 0;
}
