// Signal names without the SIG prefix, as shown everywhere: "TERM", "KILL", "RTMIN+3".
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace usvc {

std::string signal_name(int signal);
// "TERM", "SIGTERM", "term", "-TERM" without its dash, "15".
Result<int> parse_signal(std::string_view text);

}  // namespace usvc
