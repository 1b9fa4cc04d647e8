// The end of a log, as text to be shown.
#pragma once

#include <cstddef>
#include <string>

#include "job/layout.h"
#include "log/history.h"

namespace usvc {

// The last lines between two positions, at most 64 KiB of them; empty when they can't be read.
std::string last_lines(const Layout& layout, const std::string& log, Span span, std::size_t lines);

}  // namespace usvc
