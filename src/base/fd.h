// Owner and borrower of a file descriptor. Every descriptor usvc makes has O_CLOEXEC set.
#pragma once

#include <utility>

namespace usvc {

// Owns one descriptor, or none (-1), and closes it.
class Fd {
 public:
  Fd() = default;
  // Adopts: from here on the descriptor is this object's to close.
  explicit Fd(int adopted) : fd_(adopted) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  // Closes what it held at once, not when `other` dies: a reader may be waiting for that end-of-file.
  Fd& operator=(Fd&& other) noexcept {
    Fd(std::move(other)).swap(*this);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  void swap(Fd& other) noexcept { std::swap(fd_, other.fd_); }
  void reset() noexcept;
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

class FdRef;
// Another descriptor of the same open file, numbered `least` or above; none, with errno set, when there are no more.
Fd try_duplicate(FdRef fd, int least = 3);
// The same where nothing can go on without it: throws std::system_error.
Fd duplicate(FdRef fd);
// A descriptor that was handed to this program by its number, O_CLOEXEC from now on; none when it is not open.
Fd inherited_fd(int number);

// Borrows: whoever passes it keeps the owner alive for the call.
class FdRef {
 public:
  FdRef(const Fd& owner) : fd_(owner.get()) {}  // NOLINT(google-explicit-constructor): lending is harmless
  explicit FdRef(int fd) : fd_(fd) {}
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace usvc
