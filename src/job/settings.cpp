#include "job/settings.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"

namespace usvc {

namespace {

constexpr long long longest_pause = 86'400;
constexpr long long most_alert_lines = 10'000;

constexpr std::array own{
    Setting{"core",
            {.key = "log-total",
             .type = OptionType::size,
             .value_name = "SIZE",
             .max = std::numeric_limits<long long>::max(),
             .default_text = "4G",
             .help = "how large the logs of a group may be together before the oldest of them go"}},
    Setting{"backoff",
            {.key = "first-wait",
             .type = OptionType::duration,
             .value_name = "T",
             .max = longest_pause,
             .default_text = "1s",
             .help = "the wait before a start when a job has ended young twice; doubled each time"}},
    Setting{"backoff",
            {.key = "longest-wait",
             .type = OptionType::duration,
             .value_name = "T",
             .max = longest_pause,
             .default_text = "5m",
             .help = "the longest such wait"}},
    Setting{"alert",
            {.key = "pause",
             .type = OptionType::duration,
             .value_name = "T",
             .max = longest_pause,
             .default_text = "1m",
             .help = "the least time between two alerts of a job; the next one says how many were held back"}},
    Setting{"alert",
            {.key = "lines",
             .type = OptionType::number,
             .value_name = "N",
             .max = most_alert_lines,
             .default_text = "50",
             .help = "how many of the last lines of output an alert has"}},
};

// One name, and one log, can be only one job's.
bool may_be_default(const Option& option) {
  return !option.flag.empty() && option.key != "name" && option.key != "log";
}

std::vector<Setting> make_table() {
  std::vector<Setting> table(own.begin(), own.end());
  for (const auto& option : option_table()) {
    if (may_be_default(option)) table.push_back({"start", option});
  }
  return table;
}

std::string name_of(const SettingEntry& entry) {
  return (entry.place.empty() ? "" : entry.place + ": ") + printable(entry.section) + "." + printable(entry.key);
}

// What was probably meant: the key where it belongs, one like it in its section, or one like both.
std::string meant(const SettingEntry& entry) {
  std::vector<std::string> names;
  std::vector<std::string> keys;
  for (const auto& setting : setting_table()) {
    const std::string key(setting.option.key);
    names.push_back(std::string(setting.section) + "." + key);
    if (entry.key == key) return names.back();
    if (entry.section == setting.section) keys.push_back(key);
  }
  if (keys.empty()) return nearest(entry.section + "." + entry.key, names);
  std::string near = nearest(entry.key, keys);
  const auto longer = [&](const std::string& key) { return key.starts_with(entry.key); };
  if (near.empty() && std::count_if(keys.begin(), keys.end(), longer) == 1) {
    near = *std::find_if(keys.begin(), keys.end(), longer);
  }
  return near.empty() ? near : entry.section + "." + near;
}

Error unknown(const SettingEntry& entry) {
  const Option* option = entry.section == "start" ? find_option(entry.key) : nullptr;
  if (option != nullptr && !option->flag.empty()) {
    return Error(name_of(entry) + ": it is one job's own and has no default")
        .hint("usvc start " + std::string(option->flag));
  }
  const std::string near = meant(entry);
  return Error(name_of(entry) + ": there is no such setting")
      .hint(near.empty() ? "man usvc.conf" : "did you mean " + near + "?");
}

}  // namespace

std::span<const Setting> setting_table() {
  static const std::vector<Setting> table = make_table();
  return table;
}

Result<Settings> settings_from(const std::vector<SettingEntry>& entries) {
  Settings settings;
  for (const auto& entry : entries) {
    const auto table = setting_table();
    const auto row = std::find_if(table.begin(), table.end(), [&](const Setting& setting) {
      return setting.section == entry.section && setting.option.key == entry.key;
    });
    if (row == table.end()) return fail(unknown(entry));
    // What only a caller can tell is absolute here too.
    if (auto good = check_value(row->option, entry.value); !good) {
      return fail(std::move(good).error().context(name_of(entry)).as(ErrorKind::failure));
    }
    // Checked above, so that there is a value.
    if (entry.section == "start") settings.start.emplace_back(entry.key, entry.value);
    if (entry.key == "log-total" && entry.section == "core") settings.log_total = parse_size(entry.value).value_or(0);
    if (entry.key == "pause") settings.alert_pause = parse_duration(entry.value).value_or(Duration{});
    if (entry.key == "lines") settings.alert_lines = static_cast<std::size_t>(parse_number(entry.value).value_or(0));
    if (entry.key == "first-wait") settings.first_wait = parse_duration(entry.value).value_or(Duration{});
    if (entry.key == "longest-wait") settings.longest_wait = parse_duration(entry.value).value_or(Duration{});
  }
  return settings;
}

}  // namespace usvc
