// Tells which jobs' confs have been edited, without a look at each of them (inotify).
#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/fd.h"

namespace usvc {

class ConfWatch {
 public:
  // Where the kernel refuses a watch, nothing is ever known.
  static ConfWatch create(const std::string& directory);

  // The jobs whose conf was written, put there or taken away since the last call. Nothing: that is not known, any may
  // have been; so it is the first time.
  std::optional<std::set<std::string>> take();

 private:
  explicit ConfWatch(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
  bool known_ = false;  // from the last call on all changes are
};

}  // namespace usvc
