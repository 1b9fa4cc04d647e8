// What usvc.conf says: the instance's own settings, in git-config format, section [core].
#pragma once

#include <cstdint>

#include "base/error.h"
#include "job/layout.h"

namespace usvc {

struct Settings {
  std::uint64_t log_total = std::uint64_t{4} << 30U;  // of a group's logs together
};

// Without such a file, what is said here. A key that is not known, or a value that is none, is an error.
Result<Settings> load_settings(const Layout& layout);

}  // namespace usvc
