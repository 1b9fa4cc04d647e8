// What usvc.conf may say, one row each, and what it means: the instance's own settings, and defaults for the options of
// `start`. Pure. The parser and the manual read the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "job/backoff.h"
#include "job/options.h"

namespace usvc {

struct Setting {
  std::string_view section;  // core, backoff, alert or start
  Option option;
};

std::span<const Setting> setting_table();

struct SettingEntry {
  std::string section;
  std::string key;
  std::string value;
  std::string place = {};  // "FILE:LINE", for errors; empty: nowhere
};

struct Settings {
  std::uint64_t log_total = std::uint64_t{4} << 30U;  // of a group's logs together
  Duration first_wait = Backoff::first_wait;
  Duration longest_wait = Backoff::longest_wait;
  Duration alert_pause = std::chrono::minutes(1);  // between two of one job
  std::size_t alert_lines = 50;
  std::vector<std::pair<std::string, std::string>> start;  // keys of a job's conf with their values
};

// In order; of two values the last counts. What is not known, or no value, is an error that names it and what was
// probably meant.
Result<Settings> settings_from(const std::vector<SettingEntry>& entries);

}  // namespace usvc
