#include "log/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/files.h"

namespace usvc {

namespace {

Result<std::size_t> read_at(FdRef file, char* bytes, std::size_t size, off_t offset) {
  for (;;) {
    const ssize_t got = ::pread(file.get(), bytes, size, offset);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail(Error::last("cannot read the log"));
  }
}

Result<off_t> size_of(FdRef file) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail(Error::last("cannot look at the log"));
  return info.st_size;
}

}  // namespace

Result<off_t> tail_offset(FdRef file, std::size_t lines) {
  auto size = size_of(file);
  if (!size) return pass(size);
  off_t end = *size;
  if (lines == 0) return end;
  constexpr off_t block_size = 64 << 10;
  std::string block(block_size, '\0');
  std::size_t newlines = 0;
  while (end > 0) {
    const off_t begin = std::max<off_t>(0, end - block_size);
    auto got = read_at(file, block.data(), static_cast<std::size_t>(end - begin), begin);
    if (!got) return pass(got);
    for (std::size_t i = *got; i-- > 0;) {
      const off_t position = begin + static_cast<off_t>(i);
      // The newline that ends the last line begins no other.
      if (block[i] != '\n' || position + 1 == *size) continue;
      if (++newlines == lines) return position + 1;
    }
    end = begin;
  }
  return 0;
}

Result<std::string> read_range(const std::string& path, off_t from, std::size_t limit) {
  auto file = open_file(path, O_RDONLY);
  if (!file && file.error().code() == ENOENT) return std::string();
  if (!file) return pass(file);
  auto size = size_of(*file);
  if (!size) return pass(size);
  if (from > *size) from = 0;
  const off_t begin = std::max(from, *size - static_cast<off_t>(limit));
  std::string bytes(static_cast<std::size_t>(*size - begin), '\0');
  auto got = read_at(*file, bytes.data(), bytes.size(), begin);
  if (!got) return pass(got, path);
  bytes.resize(*got);
  return bytes;
}

Result<LogCursor> LogCursor::at_tail(std::string path, std::optional<std::size_t> lines) {
  LogCursor cursor(std::move(path), 0);
  if (!lines) return cursor;
  auto file = open_file(cursor.path_, O_RDONLY);
  if (!file && file.error().code() == ENOENT) return cursor;
  if (!file) return pass(file);
  auto offset = tail_offset(*file, *lines);
  if (!offset) return pass(offset, cursor.path_);
  cursor.offset_ = *offset;
  cursor.file_ = std::move(*file);
  return cursor;
}

Result<bool> LogCursor::read(std::string& out) {
  if (!file_) {
    auto opened = open_next();
    if (!opened || !*opened) return opened;
  }
  auto got = read_some(out);
  if (!got || *got) return got;
  auto opened = open_next();
  if (!opened || !*opened) return opened;
  return read_some(out);
}

// Takes the file that has the name now, when it is another one. The one in hand is left only at its end, looked at
// once more after the new one was seen: whoever writes has changed over by then.
Result<bool> LogCursor::open_next() {
  struct stat now {};
  if (::stat(path_.c_str(), &now) != 0) {
    if (errno == ENOENT) return false;
    return fail(Error::last("cannot look at " + path_));
  }
  if (file_) {
    struct stat held {};
    if (::fstat(file_.get(), &held) != 0) return fail(Error::last("cannot look at " + path_));
    if (held.st_dev == now.st_dev && held.st_ino == now.st_ino) return false;
    if (held.st_size > offset_) return true;
  }
  auto file = open_file(path_, O_RDONLY);
  if (!file && file.error().code() == ENOENT) return false;
  if (!file) return pass(file);
  if (file_) offset_ = 0;
  file_ = std::move(*file);
  return true;
}

Result<bool> LogCursor::read_some(std::string& out) {
  auto size = size_of(file_);
  if (!size) return pass(size, path_);
  if (*size < offset_) offset_ = 0;
  const std::size_t before = out.size();
  const auto wanted = std::min<std::size_t>(chunk, static_cast<std::size_t>(*size - offset_));
  out.resize(before + wanted);
  auto got = read_at(file_, out.data() + before, wanted, offset_);
  out.resize(before + (got ? *got : 0));
  if (!got) return pass(got, path_);
  offset_ += static_cast<off_t>(*got);
  return *got > 0;
}

}  // namespace usvc
