#include "manager/settings.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

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
  std::vector<SettingEntry> lines;
  for (auto& entry : *entries) {
    if (is_include(entry)) continue;
    std::string section = entry.section + (entry.subsection.empty() ? "" : "." + entry.subsection);
    lines.push_back({std::move(section), std::move(entry.key), entry.has_value ? std::move(entry.value) : "true",
                     entry.line > 0 ? path + ":" + std::to_string(entry.line) : path});
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
