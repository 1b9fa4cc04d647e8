#include "log/disposal.h"

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "log/index.h"

namespace usvc {

namespace {

std::string_view kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "a directory";
    case S_IFIFO:
      return "a named pipe";
    case S_IFSOCK:
      return "a socket";
    default:
      return "a device";
  }
}

// What is in a file that is a log's index; nothing: it is none.
std::optional<LogIndex> index_in(const std::string& path) {
  if (!is_plain_file(path)) return std::nullopt;
  auto index = LogIndex::read_end(path);
  return index && index->base() ? std::optional(std::move(*index)) : std::nullopt;
}

}  // namespace

bool is_plain_file(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool is_log_index(const std::string& path) {
  return index_in(path).has_value();
}

bool is_own_log(const Layout& layout, const LogFile& file) {
  if (!is_plain_file(file.path)) return false;
  const std::string directory = directory_of(file.path);
  if (directory == layout.logs_dir || directory == layout.old_logs_dir) return true;
  const auto index = index_in(file.index_path);
  if (!index) return false;
  // A live one was there before it got its index, perhaps: it is a log's once a run has written to it.
  return file.number > 0 || (!index->marks().empty() && index->marks().back().run != 0);
}

Status check_index_place(const std::string& log) {
  const std::string index = index_of(log);
  struct stat info {};
  const bool there = ::lstat(index.c_str(), &info) == 0;
  if (!there || (S_ISREG(info.st_mode) && info.st_size == 0) || is_log_index(index)) return {};
  return fail(
      Error("the log " + printable(log) + " would have its index in " + printable(index) + ", which is something else")
          .hint("move that away, or name another log"));
}

Status check_log_place(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode)) return {};
  return fail(Error("the log " + printable(path) + " cannot be " + std::string(kind_of(info.st_mode)))
                  .hint("name a plain file"));
}

Status check_log_rotates(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) return {};
  std::error_code unknown;
  auto target = std::filesystem::weakly_canonical(path, unknown);
  // One that leads nowhere yet.
  if (!unknown && target == path) target = std::filesystem::read_symlink(path, unknown);
  target = std::filesystem::path(path).parent_path() / target;
  return fail(Error("the log " + printable(path) + " is a symbolic link, and usvc never rotates one")
                  .hint(unknown ? "name a plain file" : "name the file it leads to, " + printable(target.string())));
}

}  // namespace usvc
