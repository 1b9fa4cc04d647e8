#include "manager/settings.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/files.h"
#include "manager/git_config.h"

namespace usvc {

namespace {

bool is_include(const GitEntry& entry) {  // git's own
  return entry.section == "include" || entry.section == "includeif";
}

}  // namespace

LoadedSettings load_settings(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return {Settings()};
  auto entries = read_git_config(path);
  if (!entries) return {pass(entries)};
  const bool of_one_file = std::none_of(entries->begin(), entries->end(), is_include);
  const auto text = read_file(path);
  // What stands in an included file has no line here.
  const auto numbers = of_one_file && text ? lines_of_keys(*text) : std::map<std::string, std::vector<int>>();
  std::map<std::string, std::size_t> times;
  std::vector<SettingEntry> lines;
  for (auto& entry : *entries) {
    if (is_include(entry)) continue;
    const auto of_key = numbers.find(entry.key);
    const std::size_t nth = times[entry.key]++;
    const bool known = of_key != numbers.end() && nth < of_key->second.size();
    std::string section = entry.section + (entry.subsection.empty() ? "" : "." + entry.subsection);
    lines.push_back({std::move(section), std::move(entry.key), entry.has_value ? std::move(entry.value) : "true",
                     known ? path + ":" + std::to_string(of_key->second[nth]) : path});
  }
  auto settings = settings_from(lines);
  return {std::move(settings), of_one_file};
}

const Result<Settings>& SettingsFile::get() const {
  const FileStamp now = stamp_of(path_);
  if (stamp_ == now) return settings_;
  auto loaded = load_(path_);
  settings_ = std::move(loaded.settings);
  // What is wrong may be in an included file, or pass: for want of descriptors, say.
  const bool settled = loaded.of_one_file && settings_ && !may_change_unseen(now);
  stamp_ = settled ? std::optional(now) : std::nullopt;
  return settings_;
}

}  // namespace usvc
