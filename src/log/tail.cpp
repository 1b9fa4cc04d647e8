#include "log/tail.h"

#include <fcntl.h>

#include <algorithm>

#include "base/files.h"
#include "log/reader.h"

namespace usvc {

std::string last_lines(const std::string& path, off_t from, std::size_t lines) {
  constexpr std::size_t most = std::size_t{64} << 10U;
  const auto file = open_file(path, O_RDONLY);
  if (!file) return {};
  const auto tail = tail_offset(*file, lines);
  if (!tail) return {};
  return read_range(path, std::max(from, *tail), most).value_or("");
}

}  // namespace usvc
