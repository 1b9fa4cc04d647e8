#include "manager/settings.h"

#include <unistd.h>

#include "manager/git_config.h"

namespace usvc {

Result<Settings> load_settings(const Layout& layout) {
  if (::access(layout.settings.c_str(), F_OK) != 0) return Settings();
  auto entries = read_git_config(layout.settings);
  if (!entries) return pass(entries);
  std::vector<SettingEntry> lines;
  for (auto& entry : *entries) {
    if (entry.section == "include" || entry.section == "includeif") continue;  // git's own
    std::string section = entry.section + (entry.subsection.empty() ? "" : "." + entry.subsection);
    lines.push_back({std::move(section), std::move(entry.key), entry.has_value ? std::move(entry.value) : "true"});
  }
  auto settings = settings_from(lines);
  if (!settings) return pass(settings, layout.settings);
  return settings;
}

}  // namespace usvc
