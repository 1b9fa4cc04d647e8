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

}  // namespace usvc
