// Reads usvc.conf: git-config format, see job/settings.h for what may stand there.
#pragma once

#include "base/error.h"
#include "job/layout.h"
#include "job/settings.h"

namespace usvc {

// Without such a file, the defaults.
Result<Settings> load_settings(const Layout& layout);

}  // namespace usvc
