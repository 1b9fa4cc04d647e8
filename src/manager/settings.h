// Reads usvc.conf: git-config format, see job/settings.h for what may stand there.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "job/layout.h"
#include "job/settings.h"

namespace usvc {

struct LoadedSettings {
  Result<Settings> settings;
  bool of_one_file = true;  // nothing is included from others
};
// Without such a file, the defaults.
LoadedSettings load_settings(const std::string& path);

// The file's settings in memory; read again when it has changed. For one thread.
class SettingsFile {
 public:
  using Load = std::function<LoadedSettings(const std::string& path)>;
  explicit SettingsFile(const Layout& layout, Load load = load_settings)
      : path_(layout.settings), load_(std::move(load)) {}

  // Valid until the next call.
  [[nodiscard]] const Result<Settings>& get() const;

 private:
  std::string path_;
  Load load_;
  mutable std::optional<FileStamp> stamp_;  // as it was when it was read; none: it is to be read in any case
  mutable Result<Settings> settings_;
};

}  // namespace usvc
