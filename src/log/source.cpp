#include "log/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/files.h"

namespace usvc {

namespace {

FileIdentity identity_of(const struct stat& info) {
  return {static_cast<std::uint64_t>(info.st_dev), static_cast<std::uint64_t>(info.st_ino)};
}

// A pipe of that name would block without O_NONBLOCK.
Result<Fd> open_readable(const std::string& path) {
  return open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

}  // namespace

Result<std::optional<FileIdentity>> identity_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) return identity_of(info);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  return fail(Error::last("cannot look at " + path));
}

std::optional<FileIdentity> which_file(FdRef file) {
  struct stat info {};
  return ::fstat(file.get(), &info) == 0 ? std::optional(identity_of(info)) : std::nullopt;
}

std::optional<FileIdentity> which_file(const std::string& path) {
  return identity_of(path).value_or(std::nullopt);
}

Result<std::optional<LogSource>> LogSource::open(const LogFile& file) {
  LogSource source;
  source.path_ = file.path;
  bool compressed = file.compressed;
  auto opened = open_readable(source.path_);
  if (!opened && opened.error().code() == ENOENT && file.number > 0 && !compressed) {
    source.path_ += compressed_log_end;
    compressed = true;
    opened = open_readable(source.path_);
  }
  if (!opened && opened.error().code() == ENOENT) return std::optional<LogSource>();
  if (!opened) return pass(opened);
  source.file_ = std::move(*opened);
  struct stat info {};
  if (::fstat(source.file_.get(), &info) != 0) return fail(Error::last("cannot look at " + source.path_));
  if (!S_ISREG(info.st_mode)) return fail(source.path_ + " is not a plain file");
  source.identity_ = identity_of(info);
  if (!compressed) return std::optional<LogSource>(std::move(source));
  auto frames = CompressedFile::open(source.file_);
  if (!frames) return pass(frames, source.path_);
  source.compressed_ = std::move(*frames);
  return std::optional<LogSource>(std::move(source));
}

Result<std::uint64_t> LogSource::size() const {
  if (compressed_) return compressed_->size();
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) return fail(Error::last("cannot look at " + path_));
  return static_cast<std::uint64_t>(info.st_size);
}

Result<std::string_view> LogSource::read(std::uint64_t offset, std::size_t most) {
  if (compressed_) {
    auto text = compressed_->read(offset);
    if (!text) return pass(text, path_);
    return text->substr(0, most);
  }
  buffer_.resize(std::min(most, chunk));
  for (;;) {
    const ssize_t got = ::pread(file_.get(), buffer_.data(), buffer_.size(), static_cast<off_t>(offset));
    if (got >= 0) return std::string_view(buffer_).substr(0, static_cast<std::size_t>(got));
    if (errno != EINTR) return fail(Error::last("cannot read " + path_));
  }
}

}  // namespace usvc
