#include "manager/settings.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "manager/git_config.h"

namespace usvc {

LoadedSettings load_settings(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return {Settings()};
  auto entries = read_git_config(path);
  if (!entries) return {pass(entries)};
  bool of_one_file = true;
  std::vector<SettingEntry> lines;
  for (auto& entry : *entries) {
    if (entry.section == "include" || entry.section == "includeif") {  // git's own
      of_one_file = false;
      continue;
    }
    std::string section = entry.section + (entry.subsection.empty() ? "" : "." + entry.subsection);
    lines.push_back({std::move(section), std::move(entry.key), entry.has_value ? std::move(entry.value) : "true"});
  }
  auto settings = settings_from(lines);
  if (!settings) return {pass(settings, path), of_one_file};
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
