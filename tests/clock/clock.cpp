// LD_PRELOAD of the tests: what the processes take for the time of day is so many seconds off as the file
// USVC_TEST_CLOCK says (eight bytes, as this machine writes them), from the moment it is written on. The machine's
// clock is left alone, and so is the monotonic one.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

const volatile std::int64_t* map_offset() {
  const char* const path = std::getenv("USVC_TEST_CLOCK");
  if (path == nullptr) return nullptr;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* const page = mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  return page == MAP_FAILED ? nullptr : static_cast<const volatile std::int64_t*>(page);
}

const volatile std::int64_t* const offset = map_offset();

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  const long failed = syscall(SYS_clock_gettime, clock, out);
  const bool time_of_day = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (failed == 0 && time_of_day && offset != nullptr) out->tv_sec += *offset;
  return static_cast<int>(failed);
}

int gettimeofday(timeval* out, void*) noexcept {
  timespec now{};
  const int failed = clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return failed;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  (void)clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
}
