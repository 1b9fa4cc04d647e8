// Small file and directory operations, each with an error that names the path.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

// open(2) with O_CLOEXEC added; retries EINTR.
Result<Fd> open_file(const std::string& path, int flags, mode_t mode = 0600);
// The same terminal as an open file of our own, which does not block: O_NONBLOCK belongs to the open file, and that one
// the shell has too. It may not be allowed (after su).
Result<Fd> open_terminal_again(FdRef terminal, int flags);
// The whole file; more than `limit` bytes is an error (EFBIG).
Result<std::string> read_file(const std::string& path, std::size_t limit = std::size_t{64} << 20U);
// For /proc and /sys: the whole file into the caller's buffer, reused from call to call, with one read where it is
// small; false when the file is gone or unreadable.
bool read_small(const char* path, std::string& buffer);
// Exactly so many bytes from `offset` on; fewer are an error.
Result<std::string> read_at(FdRef fd, off_t offset, std::size_t size);
// By which a file is known to be as it was; all zero: there is none.
struct FileStamp {
  bool there = false;
  dev_t dev = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const std::string& path);
// Whether a file with this stamp may be changed without getting another: it has just been, and its clock ticks slowly.
bool may_change_unseen(const FileStamp& stamp);
// Whether both are there and the same file, by whatever names.
bool same_file(const char* path, const char* other);
Status write_all(FdRef fd, std::string_view bytes);
// Whether a file is safe from a power cut when the call returns, at the price of waiting for the disk.
enum class Flush { no, to_disk };
// Locks a directory (flock(2), `operation` is LOCK_SH or LOCK_EX) without waiting; EWOULDBLOCK: somebody else has it. A
// directory can't be removed from under its holder as a lock file can; where it can't be locked (NFS), `file` in it is.
Result<Fd> lock_directory(const std::string& directory, const std::string& file, int operation);
// Replaces `path` in one step (temporary file in the same directory, rename).
Status write_file_atomically(const std::string& path, std::string_view bytes, Flush flush = Flush::to_disk,
                             mode_t mode = 0600);
// Makes the directory and its parents, the last with mode 0700. One that belongs to somebody else or that others can
// write to is refused.
Status ensure_private_dir(const std::string& path);
// The last word of a path, and what stands before it ("." for a bare name).
std::string_view file_name_of(std::string_view path);
std::string directory_of(std::string_view path);
// Names in a directory without . and .., unsorted.
Result<std::vector<std::string>> list_dir(const std::string& path);
// Removes a file or a whole directory tree; what does not exist is fine.
Status remove_all(const std::string& path);

}  // namespace usvc
