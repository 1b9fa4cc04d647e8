#include "job/options.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "base/signals.h"
#include "base/text.h"
#include "base/time.h"
#include "job/limits.h"
#include "job/names.h"

namespace usvc {
namespace {

constexpr long long one_day = 86'400;
constexpr long long one_hour = 3'600;

constexpr std::array<Option, 23> table{{
    {.key = "cmd",
     .value_name = "CMD",
     .help = "the program to run: a path, or a name that the job's PATH is searched for"},
    {.key = "arg",
     .type = OptionType::any_text,
     .repeatable = true,
     .value_name = "ARG",
     .help = "an argument of the program, one line each, in order"},
    {.key = "name",
     .type = OptionType::job_name,
     .flag = "--name",
     .value_name = "NAME",
     .help = "the job's name, in place of GROUP-N"},
    {.key = "group",
     .type = OptionType::group_name,
     .flag = "--group",
     .short_flag = "-g",
     .value_name = "GROUP",
     .help = "the group it belongs to; by default the command's base name"},
    {.key = "cwd",
     .type = OptionType::path,
     .flag = "--cwd",
     .value_name = "DIR",
     .help = "the directory it runs in; by default the caller's"},
    {.key = "log",
     .type = OptionType::path,
     .flag = "--log",
     .value_name = "FILE",
     .help = "where its output goes; by default logs/NAME.log"},
    {.key = "keepalive",
     .type = OptionType::boolean,
     .flag = "--once",
     .short_flag = "-1",
     .flag_value = "false",
     .default_text = "true",
     .help = "run it again when it ends; --once: run it once only"},
    {.key = "restart",
     .type = OptionType::choice,
     .flag = "--restart",
     .value_name = "WHEN",
     .choices = "always|on-failure|never",
     .overrules = "keepalive",
     .default_text = "always",
     .help = "after which ends it is run again"},
    {.key = "tty",
     .type = OptionType::boolean,
     .flag = "--no-tty",
     .flag_value = "false",
     .default_text = "true",
     .help = "give it a terminal of its own; --no-tty: give it pipes instead"},
    {.key = "split",
     .type = OptionType::boolean,
     .flag = "--split",
     .flag_value = "true",
     .default_text = "false",
     .help = "keep its stderr in a log of its own, NAME.err.log; only without a terminal"},
    {.key = "alert",
     .repeatable = true,
     .flag = "--alert",
     .short_flag = "-a",
     .value_name = "WHO",
     .help = "whom to tell when it dies: a mail address, a URL or a command"},
    {.key = "pre-cmd",
     .type = OptionType::any_text,
     .flag = "--pre",
     .value_name = "CMD",
     .help = "shell command to run before each start"},
    {.key = "post-cmd",
     .type = OptionType::any_text,
     .flag = "--post",
     .value_name = "CMD",
     .help = "shell command to run after each end"},
    {.key = "runaway-protect",
     .type = OptionType::boolean,
     .flag = "--no-runaway-protect",
     .flag_value = "false",
     .default_text = "true",
     .help = "wait longer and longer when it keeps dying young; --no-runaway-protect: start it again without waiting"},
    {.key = "stop-signal",
     .type = OptionType::signal,
     .flag = "--stop-signal",
     .value_name = "SIG",
     .default_text = "TERM",
     .help = "the signal that asks it to end"},
    {.key = "stop-timeout",
     .type = OptionType::duration,
     .flag = "--stop-timeout",
     .value_name = "T",
     .max = one_day,
     .default_text = "10s",
     .help = "how long it may take to end before it is killed"},
    {.key = "settle",
     .type = OptionType::duration,
     .flag = "--settle",
     .value_name = "T",
     .max = one_hour,
     .default_text = "300ms",
     .help = "how long it must run to count as started"},
    {.key = "tree",
     .type = OptionType::choice,
     .flag = "--tree",
     .value_name = "HOW",
     .choices = "auto|cgroup|proc|subreaper",
     .default_text = "auto",
     .help = "by what the processes that it starts are found"},
    {.key = "umask",
     .type = OptionType::umask,
     .flag = "--umask",
     .value_name = "MASK",
     .help = "its umask; by default the caller's"},
    {.key = "nice",
     .type = OptionType::number,
     .flag = "--nice",
     .value_name = "N",
     .min = -20,
     .max = 19,
     .help = "its niceness; by default the caller's"},
    {.key = "limit",
     .type = OptionType::limit,
     .repeatable = true,
     .flag = "--limit",
     .value_name = "LIMIT",
     .help = "a resource limit, NAME SOFT HARD; by default the caller's"},
    {.key = "log-max-size",
     .type = OptionType::size,
     .flag = "--log-max-size",
     .value_name = "SIZE",
     .min = 1,
     .max = std::numeric_limits<long long>::max(),
     .default_text = "64M",
     .help = "the size at which its log is rotated"},
    {.key = "log-keep",
     .type = OptionType::number,
     .flag = "--log-keep",
     .value_name = "N",
     .max = 10'000,
     .default_text = "8",
     .help = "how many rotated logs are kept"},
}};

Status wrong(std::string why, std::string allowed) {
  return fail(Error(std::move(why), ErrorKind::usage).hint(std::move(allowed)));
}

std::string quoted(std::string_view text) {
  return "'" + printable(text) + "'";
}

Status check_text(std::string_view text) {
  if (text.empty()) return wrong("it is empty", "give a value, or leave the line out");
  return {};
}

Status check_path(std::string_view text) {
  if (text.starts_with('/')) return {};
  return wrong(quoted(text) + " is not an absolute path", "a path that begins with /");
}

Status check_boolean(std::string_view text) {
  if (parse_boolean(text)) return {};
  return wrong(quoted(text) + " is neither true nor false", "true or false");
}

Status check_choice(const Option& option, std::string_view text) {
  if (choice_index(option.choices, text)) return {};
  std::string allowed(option.choices);
  for (auto bar = allowed.find('|'); bar != std::string::npos; bar = allowed.find('|', bar)) {
    allowed.replace(bar, 1, allowed.find('|', bar + 1) == std::string::npos ? " or " : ", ");
  }
  return wrong(quoted(text) + " is not known here", allowed);
}

Status check_umask(std::string_view text) {
  if (parse_umask(text)) return {};
  return wrong(quoted(text) + " is not a umask", "an octal number from 0 to 0777");
}

// Out of range, with the bounds as they would be written.
Status out_of_range(std::string_view text, const std::string& min, const std::string& max) {
  return wrong(quoted(text) + " is out of range", min + " to " + max);
}

Status check_number(const Option& option, std::string_view text) {
  const auto number = parse_number(text);
  if (!number) {
    return wrong(number.error().bare_message(), std::to_string(option.min) + " to " + std::to_string(option.max));
  }
  if (*number >= option.min && *number <= option.max) return {};
  return out_of_range(text, std::to_string(option.min), std::to_string(option.max));
}

Status check_size(const Option& option, std::string_view text) {
  const auto size = parse_size(text);
  if (!size) return fail(size.error());
  if (std::cmp_greater_equal(*size, option.min) && std::cmp_less_equal(*size, option.max)) return {};
  return out_of_range(text, std::to_string(option.min), std::to_string(option.max));
}

Status check_duration(const Option& option, std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration) return fail(duration.error());
  const std::chrono::seconds min(option.min);
  const std::chrono::seconds max(option.max);
  if (*duration >= min && *duration <= max) return {};
  return out_of_range(text, format_duration(min), format_duration(max));
}

template <class T>
Status only_status(const Result<T>& result) {
  if (result) return {};
  return fail(result.error());
}

}  // namespace

std::span<const Option> option_table() {
  return table;
}

const Option* find_option(std::string_view key) {
  const auto* row = std::find_if(table.begin(), table.end(), [&](const Option& option) { return option.key == key; });
  return row == table.end() ? nullptr : row;
}

std::string nearest_option(std::string_view key) {
  std::vector<std::string> keys;
  keys.reserve(table.size());
  for (const Option& option : table) keys.emplace_back(option.key);
  return nearest(key, keys);
}

Status check_value(const Option& option, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return wrong("it has a NUL byte in it", "any other bytes");
  switch (option.type) {
    case OptionType::any_text:
      return {};
    case OptionType::text:
      return check_text(text);
    case OptionType::path:
      return check_path(text);
    case OptionType::job_name:
      return check_job_name(text);
    case OptionType::group_name:
      return check_group_name(text);
    case OptionType::boolean:
      return check_boolean(text);
    case OptionType::number:
      return check_number(option, text);
    case OptionType::size:
      return check_size(option, text);
    case OptionType::duration:
      return check_duration(option, text);
    case OptionType::signal:
      return only_status(parse_signal(text));
    case OptionType::choice:
      return check_choice(option, text);
    case OptionType::umask:
      return check_umask(text);
    case OptionType::limit:
      return only_status(parse_limit(text));
  }
  return {};
}

std::optional<bool> parse_boolean(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (lower == "true" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "no" || lower == "off" || lower.empty()) return false;
  const auto number = parse_number(lower);
  return number ? std::optional<bool>(*number != 0) : std::nullopt;
}

std::optional<int> parse_umask(std::string_view text) {
  const auto mask = parse_integer<int>(text, 8);
  return mask && *mask >= 0 && *mask <= 0777 ? mask : std::nullopt;
}

std::optional<std::size_t> choice_index(std::string_view choices, std::string_view text) {
  const auto all = split(choices, '|');
  const auto found = std::find(all.begin(), all.end(), text);
  if (found == all.end()) return std::nullopt;
  return static_cast<std::size_t>(found - all.begin());
}

}  // namespace usvc
