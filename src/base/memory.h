// Shared memory of a size fixed at birth, passed from process to process by its descriptor (memfd_create(2)).
#pragma once

#include <cstddef>
#include <span>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

// Owns one mapping.
class Mapping {
 public:
  enum class Sharing { shared, copy_on_write };
  static Result<Mapping> map(FdRef fd, std::size_t size, Sharing sharing);
  Mapping() = default;
  ~Mapping() { reset(); }
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  explicit operator bool() const { return !bytes_.empty(); }

 private:
  void reset() noexcept;
  std::span<std::byte> bytes_;
};

// An anonymous file of `size` zero bytes; `name` shows in /proc/PID/fd.
Result<Fd> make_memory_file(const char* name, std::size_t size);
Result<std::size_t> file_size(FdRef fd);

}  // namespace usvc
