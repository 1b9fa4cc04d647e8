// One file of a log as it was written, whether it is compressed or not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "log/files.h"
#include "log/frames.h"

namespace usvc {

// Which file it is, whatever its name.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
// Nothing: there is none of that name.
Result<std::optional<FileIdentity>> identity_of(const std::string& path);
// The same of a descriptor, or of a path for whoever does not care why there is none.
std::optional<FileIdentity> which_file(FdRef file);
std::optional<FileIdentity> which_file(const std::string& path);

class LogSource {
 public:
  static constexpr std::size_t chunk = std::size_t{256} << 10U;

  // Nothing: it is not there (any more). One that has been compressed since it was listed is found too.
  static Result<std::optional<LogSource>> open(const LogFile& file);

  [[nodiscard]] const FileIdentity& identity() const { return identity_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Bytes that can be read; that of the live file grows.
  [[nodiscard]] Result<std::uint64_t> size() const;
  [[nodiscard]] bool damaged() const { return compressed_ && compressed_->damaged(); }
  // Some of the bytes from `offset` on, at most `most`; none: there are no more. Valid until the next call.
  Result<std::string_view> read(std::uint64_t offset, std::size_t most);

 private:
  LogSource() = default;

  std::string path_;
  FileIdentity identity_;
  Fd file_;
  std::optional<CompressedFile> compressed_;
  std::string buffer_;
};

}  // namespace usvc
