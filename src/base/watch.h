// Waits until files change, for readers that follow what others write (inotify).
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/time.h"

namespace usvc {

class Watch {
 public:
  // Some filesystems tell nobody that a file has grown: to be waited no longer than this.
  static constexpr std::chrono::seconds look_anyway{1};

  static Result<Watch> create();

  // Names that come and go in a directory, not what is written into its files.
  Status add_dir(const std::string& path);
  // What is written into a file. A file that does not exist is no error: its directory tells when it does.
  // Watching the same file again is free.
  Status add_file(const std::string& path);

  // Can be read when something has changed; for whoever has a loop of their own. See taken() then.
  [[nodiscard]] FdRef fd() const { return fd_; }
  // What has changed so far is known.
  void taken() { drain(); }

  // Returns at once when something has changed since the last call; true: it has, false: the time is up, or one of the
  // other descriptors (-1: none) can be read, or nobody reads what is written to `output` any more. An interrupting
  // signal counts as the time being up.
  Result<bool> wait(std::optional<Duration> timeout, std::initializer_list<FdRef> others = {},
                    FdRef output = FdRef(-1));

 private:
  explicit Watch(Fd fd) : fd_(std::move(fd)) {}
  void drain();

  Fd fd_;
};

}  // namespace usvc
