// Reads one log file, from the end or from an offset, and follows it as it grows and is replaced.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

// Where the last `lines` lines of a file begin; a last line without its newline counts as one.
Result<off_t> tail_offset(FdRef file, std::size_t lines);
// The bytes of `path` from `from` on, at most the last `limit`. No such file: empty.
Result<std::string> read_range(const std::string& path, off_t from, std::size_t limit);

// Reads on from an offset. The file may not exist yet, may grow, may be truncated (then it is read from its beginning)
// and may be replaced by another of its name: then the old one is read to its end before the new one is begun.
class LogCursor {
 public:
  static constexpr std::size_t chunk = std::size_t{256} << 10U;

  // Nothing is opened before it is needed; `from` belongs to the file that has the name then.
  LogCursor(std::string path, off_t from) : path_(std::move(path)), offset_(from) {}
  // Stands where the last `lines` lines begin; none: at the beginning.
  static Result<LogCursor> at_tail(std::string path, std::optional<std::size_t> lines);

  // Appends at most `chunk` bytes to `out`; false: there is nothing more for now.
  Result<bool> read(std::string& out);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Result<bool> open_next();
  Result<bool> read_some(std::string& out);

  std::string path_;
  off_t offset_ = 0;
  Fd file_;
};

}  // namespace usvc
