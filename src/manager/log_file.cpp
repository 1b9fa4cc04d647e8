#include "manager/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/files.h"
#include "log/disposal.h"
#include "log/files.h"
#include "log/index.h"
#include "log/source.h"

namespace usvc {

namespace {

// Of what was written to it; nothing can be told of one that is damaged.
std::uint64_t size_of(const LogFile& file) {
  if (!file.compressed) return log_size(file.path);
  const auto source = LogSource::open(file);
  if (!source || !*source || (*source)->damaged()) return 0;
  return (*source)->size().value_or(0);
}

// Nothing: its index does not say.
std::optional<std::uint64_t> end_of(const LogFile& file) {
  const auto index = LogIndex::read_end(file.index_path);
  if (!index || !index->base()) return std::nullopt;
  const std::uint64_t marked = index->marks().empty() ? 0 : index->marks().back().position;
  return std::max(marked, *index->base() + size_of(file));
}

}  // namespace

std::uint64_t log_size(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

Result<Fd> open_log(const std::string& path) {
  if (auto plain = check_log_place(path); !plain) return pass(plain);
  // What has come there meanwhile may be a pipe, which would block without O_NONBLOCK.
  constexpr int flags = O_CREAT | O_NONBLOCK | O_NOCTTY;
  auto log = open_file(path, O_RDWR | flags, 0600);
  // Reading back is a convenience: where a line ends.
  if (!log && log.error().code() == EACCES) log = open_file(path, O_WRONLY | flags, 0600);
  if (!log) return pass(log, "cannot open the log");
  struct stat info {};
  if (::fstat(log->get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail("the log " + path + " is not a plain file");
  }
  if (::lseek(log->get(), 0, SEEK_END) < 0) return fail(Error::last("cannot write the log " + path));
  return log;
}

std::uint64_t begin_position(const Layout& layout, const std::string& log) {
  auto files = log_files(layout, log);
  if (!files) return 0;
  files->pop_back();  // the live one
  // The bytes of a file without an index come behind those of the newest file that has one.
  std::uint64_t unaccounted = 0;
  for (auto file = files->rbegin(); file != files->rend(); ++file) {
    if (const auto end = end_of(*file)) return *end + unaccounted;
    unaccounted += size_of(*file);
  }
  return unaccounted;
}

std::uint64_t end_position(const Layout& layout, const std::string& log) {
  LogFile live;
  live.path = log;
  live.index_path = index_of(log);
  if (const auto end = end_of(live)) return *end;
  return begin_position(layout, log) + log_size(log);
}

}  // namespace usvc
