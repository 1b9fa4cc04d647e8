// Reads usvc.conf: git-config format, see job/settings.h for what may stand there.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
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
  // As it was when it was read.
  struct Stamp {
    bool there = false;
    dev_t dev = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  [[nodiscard]] Stamp look() const;

  std::string path_;
  Load load_;
  mutable std::optional<Stamp> stamp_;  // none: it is to be read in any case
  mutable Result<Settings> settings_;
};

}  // namespace usvc
