// Resource limits as text: "nofile 1024 4096", "core unlimited", named as the shell and limits.conf name them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace usvc {

struct Limit {
  int resource = 0;  // RLIMIT_*
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;  // RLIM_INFINITY: unlimited

  friend bool operator==(const Limit&, const Limit&) = default;
};

// "nofile" for RLIMIT_NOFILE; the number for one without a name.
std::string limit_name(int resource);
// Every RLIMIT_* that has a name, in their numbers' order.
std::vector<int> all_limits();
// "NAME SOFT HARD", or "NAME BOTH"; a value is a number or "unlimited". SOFT is at most HARD.
Result<Limit> parse_limit(std::string_view text);
std::string format_limit(const Limit& limit);

}  // namespace usvc
