#include "base/fault_point.h"

#ifdef USVC_FAULT_POINTS

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace usvc {

namespace {

const char* const directory = std::getenv("USVC_FAULTS");

// A path on the stack, cut off where it would not fit: then no file has that name.
class Path {
 public:
  Path(std::string_view name, std::string_view ending) {
    for (const std::string_view part : {std::string_view(directory), std::string_view("/"), name, ending}) add(part);
  }
  [[nodiscard]] const char* c_str() const { return text_.data(); }

 private:
  void add(std::string_view part) {
    const std::size_t length = std::min(part.size(), text_.size() - 1 - size_);
    std::copy_n(part.begin(), length, text_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += length;
  }

  std::array<char, 512> text_{};
  std::size_t size_ = 0;
};

// True for the one process that is to stop.
bool meant(const Path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  struct stat info {};
  const bool later = ::fstat(file, &info) != 0 || (info.st_size > 0 && ::ftruncate(file, info.st_size - 1) == 0);
  (void)::close(file);
  return !later && ::unlink(path.c_str()) == 0;
}

void say_where(std::string_view name) {
  const Path draft(name, ".draft");
  std::array<char, 16> text{};
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), ::getpid()).ptr;
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  // Whoever waits for the file finds out that it does not come.
  (void)!::write(file, text.data(), static_cast<std::size_t>(end - text.data()));
  (void)::close(file);
  (void)::rename(draft.c_str(), Path(name, ".here").c_str());
}

}  // namespace

void fault_point(FaultPoint point) {
  if (directory == nullptr) return;
  const int kept = errno;
  const std::string_view name = fault_points[point.index()];
  if (meant(Path(name, ""))) {
    say_where(name);
    // To this thread, so that it does not take one step more; the others stop with it.
    (void)::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), SIGSTOP);
  }
  errno = kept;
}

}  // namespace usvc

#endif
