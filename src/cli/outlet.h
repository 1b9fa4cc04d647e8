// Writing to whoever reads a command's output at their own pace, without being deaf meanwhile.
#pragma once

#include <functional>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

class Outlet {
 public:
  // `heed` is called whenever `interrupt` can be read while the reader takes its time. Both descriptors stay the
  // caller's.
  Outlet(FdRef out, FdRef interrupt, std::function<void()> heed);
  // code() is EPIPE when the reader has gone (SIGPIPE must be ignored).
  Status write(std::string_view bytes);

 private:
  FdRef out_;
  FdRef interrupt_;
  std::function<void()> heed_;
  std::size_t most_at_once_;
};

}  // namespace usvc
