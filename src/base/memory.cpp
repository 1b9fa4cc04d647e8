#include "base/memory.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace usvc {

Result<Mapping> Mapping::map(FdRef fd, std::size_t size, Sharing sharing) {
  const int flags = sharing == Sharing::shared ? MAP_SHARED : MAP_PRIVATE;
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd.get(), 0);
  if (address == MAP_FAILED) return fail(Error::last("cannot map shared memory"));
  Mapping mapping;
  mapping.bytes_ = {static_cast<std::byte*>(address), size};
  return mapping;
}

Mapping::Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    reset();
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

void Mapping::reset() noexcept {
  // munmap of a range that mmap returned can't fail.
  if (!bytes_.empty()) (void)::munmap(bytes_.data(), bytes_.size());
  bytes_ = {};
}

Result<Fd> make_memory_file(const char* name, std::size_t size) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd) return fail(Error::last("cannot make a memory file"));
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return fail(Error::last("cannot size a memory file"));
  return fd;
}

Result<std::size_t> file_size(FdRef fd) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail(Error::last("cannot stat a descriptor"));
  return static_cast<std::size_t>(info.st_size);
}

}  // namespace usvc
