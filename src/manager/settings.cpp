#include "manager/settings.h"

#include <unistd.h>

#include "base/text.h"
#include "manager/git_config.h"

namespace usvc {

Result<Settings> load_settings(const Layout& layout) {
  Settings settings;
  if (::access(layout.settings.c_str(), F_OK) != 0) return settings;
  auto entries = read_git_config(layout.settings);
  if (!entries) return pass(entries);
  for (const auto& entry : *entries) {
    if (entry.section != "core") continue;
    const std::string key = layout.settings + ": core." + printable(entry.key);
    if (entry.key != "log-total") return fail(Error(key + ": there is no such key").hint("log-total"));
    auto size = parse_size(entry.value);
    if (!size) return pass(size, key);
    settings.log_total = *size;
  }
  return settings;
}

}  // namespace usvc
