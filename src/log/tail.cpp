#include "log/tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/files.h"

namespace usvc {

namespace {

constexpr off_t most = 64 << 10;

// What can be read of a range of a file.
std::string read_part(FdRef file, off_t from, off_t to) {
  std::string text(static_cast<std::size_t>(to - from), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto at = from + static_cast<off_t>(filled);
    const ssize_t got = ::pread(file.get(), text.data() + filled, text.size() - filled, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

}  // namespace

std::string last_lines(const std::string& path, off_t from, std::size_t lines, std::optional<off_t> to) {
  const auto file = open_file(path, O_RDONLY);
  struct stat info {};
  if (!file || ::fstat(file->get(), &info) != 0) return {};
  const off_t end = std::min(to.value_or(info.st_size), info.st_size);
  const off_t begin = std::clamp(end - most, std::min(from, end), end);
  std::string text = read_part(*file, begin, end);
  std::size_t at = text.size();
  if (text.ends_with('\n')) --at;
  for (std::size_t count = 0; count < lines; ++count) {
    const std::size_t newline = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    if (newline == std::string::npos) return text;
    at = newline;
  }
  return text.substr(at + 1);
}

}  // namespace usvc
