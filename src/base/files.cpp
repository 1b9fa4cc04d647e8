#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "base/time.h"

namespace usvc {
namespace {

// Removes a temporary file unless it was renamed to its place.
class TemporaryName {
 public:
  explicit TemporaryName(std::string path) : path_(std::move(path)) {}
  ~TemporaryName() {
    if (!path_.empty()) (void)::unlink(path_.c_str());
  }
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  TemporaryName(TemporaryName&&) = delete;
  TemporaryName& operator=(TemporaryName&&) = delete;
  void keep() { path_.clear(); }

 private:
  std::string path_;
};

ssize_t read_retrying(int fd, char* to, std::size_t size) {
  ssize_t got = 0;
  do {
    got = ::read(fd, to, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status flush_to_disk(FdRef fd, const std::string& path) {
  if (::fsync(fd.get()) != 0) return fail(Error::last("cannot flush " + path + " to disk"));
  return {};
}

Status make_parents(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    // EEXIST also stands for "a file is in the way"; the mkdir below it then says so.
    if (::mkdir(parent.c_str(), 0700) == 0 || errno == EEXIST) continue;
    // Directories above may be on a read-only file system, or closed to us, and be there all the same.
    const int why = errno;
    struct stat info {};
    if (::stat(parent.c_str(), &info) != 0) return fail(Error::from_errno(why, "cannot make directory " + parent));
  }
  return {};
}

Status refuse_unless_private(FdRef directory, const std::string& path) {
  struct stat info {};
  if (::fstat(directory.get(), &info) != 0) return fail(Error::last("cannot look at directory " + path));
  if (info.st_uid != ::geteuid()) {
    return fail(Error("cannot use directory " + path + ": it belongs to user " + std::to_string(info.st_uid))
                    .hint("use a directory of your own"));
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(
        Error("cannot use directory " + path + ": others can write to it").hint("chmod go-w " + shell_quote(path)));
  }
  return {};
}

}  // namespace

Result<Fd> open_file(const std::string& path, int flags, mode_t mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return fail(Error::last("cannot open " + path));
  return Fd(fd);
}

Result<Fd> open_terminal_again(FdRef terminal, int flags) {
  return open_file("/proc/self/fd/" + std::to_string(terminal.get()), flags | O_NONBLOCK | O_NOCTTY);
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  auto fd = open_file(path, O_RDONLY | O_NONBLOCK);  // a named pipe would make us wait for a writer
  if (!fd) return pass(fd);
  struct stat info {};
  if (::fstat(fd->get(), &info) != 0) return fail(Error::last("cannot read " + path));
  if (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode)) return fail("cannot read " + path + ": it is not a plain file");
  // A size of 0 says nothing for pipes and /proc. One byte more than the size finds the end without another resize.
  const auto expected_size = info.st_size > 0 ? static_cast<std::size_t>(info.st_size) : std::size_t{4095};
  const std::size_t most = limit == std::string().max_size() ? limit : limit + 1;
  std::string bytes;
  std::size_t used = 0;
  bytes.resize(std::min(expected_size + 1, most));
  for (;;) {
    if (used == bytes.size()) bytes.resize(std::min(std::max(bytes.size() * 2, std::size_t{4096}), most));
    const ssize_t got = read_retrying(fd->get(), bytes.data() + used, bytes.size() - used);
    if (got < 0) return fail(Error::last("cannot read " + path));
    used += static_cast<std::size_t>(got);
    if (used > limit) return fail(Error::from_errno(EFBIG, "cannot read " + path));
    if (got == 0) break;
  }
  bytes.resize(used);
  return bytes;
}

bool read_small(const char* path, std::string& buffer) {
  constexpr std::size_t page = 4096;
  buffer.clear();
  const Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  std::size_t used = 0;
  for (;;) {
    buffer.resize(used + std::max(page, used));
    const ssize_t got = read_retrying(fd.get(), buffer.data() + used, buffer.size() - used);
    if (got < 0) {
      buffer.clear();
      return false;
    }
    used += static_cast<std::size_t>(got);
    // The kernel hands out lists of lines a page at a time and stops early when the next line does not fit; less than
    // half a page was all there is, and the second call is saved.
    if (static_cast<std::size_t>(got) < page / 2) break;
  }
  buffer.resize(used);
  return true;
}

Result<Fd> lock_directory(const std::string& directory, const std::string& file, int operation) {
  auto lock = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (!lock) return lock;
  int locked = ::flock(lock->get(), operation | LOCK_NB);
  if (locked != 0 && errno != EWOULDBLOCK) {
    lock = open_file(file, O_RDWR | O_CREAT, 0600);
    if (!lock) return lock;
    locked = ::flock(lock->get(), operation | LOCK_NB);
  }
  if (locked != 0) return fail(Error::last("cannot lock " + directory));
  return lock;
}

Result<std::string> read_at(FdRef fd, off_t offset, std::size_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::pread(fd.get(), text.data() + have, size - have, offset + static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::last("cannot read a file"));
    if (got == 0) return fail("a file ends too early");
    have += static_cast<std::size_t>(got);
  }
  return text;
}

namespace {

std::int64_t in_ns(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileStamp stamp_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {true, info.st_dev, info.st_ino, info.st_size, in_ns(info.st_mtim), in_ns(info.st_ctim)};
}

bool may_change_unseen(const FileStamp& stamp) {
  constexpr double tick = 1;
  return unix_now() - static_cast<double>(std::max(stamp.modified_ns, stamp.changed_ns)) / 1e9 <= tick;
}

bool same_file(const char* path, const char* other) {
  struct stat a {};
  struct stat b {};
  return ::stat(path, &a) == 0 && ::stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Status write_all(FdRef fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail(Error::last("cannot write"));
    if (put == 0) return fail(Error::from_errno(EIO, "cannot write"));
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Status write_file_atomically(const std::string& path, std::string_view bytes, Flush flush, mode_t mode) {
  // The random part keeps two writers of one path apart, and O_EXCL refuses a planted link.
  const std::string temporary_path = path + ".tmp-" + random_hex(4);
  auto fd = open_file(temporary_path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!fd) return fail(Error::from_errno(fd.error().code(), "cannot write " + path));
  TemporaryName temporary(temporary_path);
  if (auto done = write_all(*fd, bytes); !done) return pass(done, path);
  // A umask does not count for what is to be as it was.
  if (mode != 0600 && ::fchmod(fd->get(), mode) != 0) return fail(Error::last("cannot set the mode of " + path));
  if (flush == Flush::to_disk) {
    // Without it a power cut can leave the new name on an empty file.
    if (auto done = flush_to_disk(*fd, path); !done) return done;
  }
  if (::rename(temporary_path.c_str(), path.c_str()) != 0) return fail(Error::last("cannot write " + path));
  temporary.keep();
  if (flush == Flush::to_disk) {
    const std::string parent = parent_of(path);
    auto directory = open_file(parent, O_RDONLY | O_DIRECTORY);
    if (!directory) return pass(directory);
    return flush_to_disk(*directory, parent);
  }
  return {};
}

Status ensure_private_dir(const std::string& path) {
  if (path.empty()) return fail("cannot make a directory: its name is empty");
  bool created = ::mkdir(path.c_str(), 0700) == 0;
  if (!created && errno == ENOENT) {
    if (auto made = make_parents(path); !made) return made;
    created = ::mkdir(path.c_str(), 0700) == 0;
  }
  if (!created && errno != EEXIST) {
    const int why = errno;
    struct stat info {};
    // On a read-only file system mkdir fails even where the directory is there already.
    if (::stat(path.c_str(), &info) != 0) return fail(Error::from_errno(why, "cannot make directory " + path));
  }
  // A umask can have taken bits away; what was there before keeps the mode its owner chose.
  if (created && ::chmod(path.c_str(), 0700) != 0) return fail(Error::last("cannot set the mode of " + path));
  auto directory = open_file(path, O_RDONLY | O_DIRECTORY);
  if (!directory) return pass(directory, "cannot use directory");
  return refuse_unless_private(*directory, path);
}

std::string_view file_name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string directory_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1)));
}

Result<std::vector<std::string>> list_dir(const std::string& path) {
  auto fd = open_file(path, O_RDONLY | O_DIRECTORY);
  if (!fd) return pass(fd);
  const auto close = [](DIR* directory) { (void)::closedir(directory); };
  const std::unique_ptr<DIR, decltype(close)> directory(::fdopendir(fd->get()), close);
  if (!directory) return fail(Error::last("cannot list " + path));
  (void)fd->release();  // closedir closes it
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name(static_cast<const char*>(entry->d_name));
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return fail(Error::last("cannot list " + path));
  return names;
}

Status remove_all(const std::string& path) {
  std::error_code why;
  std::filesystem::remove_all(path, why);
  if (why) return fail(Error::from_errno(why.value(), "cannot remove " + path));
  return {};
}

}  // namespace usvc
