#include "log/tail.h"

#include <algorithm>

namespace usvc {

namespace {

constexpr std::uint64_t most = std::uint64_t{64} << 10U;

}  // namespace

std::string last_lines(const Layout& layout, const std::string& log, Span span, std::size_t lines) {
  auto history = LogHistory::open(layout, log, {});
  if (!history) return {};
  const auto end = history->end();
  if (!end) return {};
  span.end = std::min(span.end, *end);
  span.begin = std::max(span.begin, span.end - std::min(span.end, most));
  const auto from = history->tail(lines, span);
  if (!from) return {};
  std::string text;
  for (std::uint64_t position = *from;;) {
    const auto more = history->read(position, span.end, text);
    if (!more || !*more) return text;
  }
}

}  // namespace usvc
