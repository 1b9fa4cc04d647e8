#include "base/transfer.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/fault_point.h"

namespace usvc {

namespace {

constexpr std::size_t page_size = 4096;

// Tells a failure of the pipe's side from one of the log's: after EAGAIN or end of file splice has moved nothing.
Transfer after_splice(ssize_t moved) {
  if (moved > 0) return {.outcome = Moved::some, .bytes = static_cast<std::size_t>(moved)};
  if (moved == 0) return {.outcome = Moved::ended};
  if (errno == EAGAIN || errno == EINTR) return {.outcome = Moved::nothing};
  return {.outcome = Moved::stuck, .error = errno};
}

Transfer empty_carry(FdRef carry, FdRef log) {
  Transfer total;
  while (pipe_fill(carry) > 0) {
    const Transfer step = move_pipe_to_log(carry, log, std::size_t{1} << 20U);
    if (step.outcome == Moved::stuck) return {.outcome = Moved::stuck, .bytes = total.bytes, .error = step.error};
    total.bytes += step.bytes;
  }
  total.outcome = total.bytes > 0 ? Moved::some : Moved::nothing;
  return total;
}

}  // namespace

Transfer move_pipe_to_log(FdRef pipe, FdRef log, std::size_t limit) {
  // Somebody may have emptied the file, or an earlier run's last output (kept back by a full disk) may have come in
  // behind this descriptor's offset.
  if (::lseek(log.get(), 0, SEEK_END) < 0) return {.outcome = Moved::stuck, .error = errno};
  return after_splice(::splice(pipe.get(), nullptr, log.get(), nullptr, limit, SPLICE_F_NONBLOCK | SPLICE_F_MOVE));
}

Result<Carry> make_carry() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return fail(Error::last("cannot make a pipe"));
  return Carry{.read = Fd(ends[0]), .write = Fd(ends[1])};
}

std::size_t pipe_fill(FdRef pipe) {
  int bytes = 0;
  return ::ioctl(pipe.get(), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(std::max(bytes, 0)) : 0;
}

Transfer move_terminal_to_log(FdRef master, FdRef carry_read, FdRef carry_write, FdRef log, std::size_t limit) {
  Transfer total = empty_carry(carry_read, log);
  while (total.outcome != Moved::stuck && total.bytes < limit) {
    const ssize_t moved = ::splice(master.get(), nullptr, carry_write.get(), nullptr, limit, SPLICE_F_NONBLOCK);
    if (moved <= 0) {
      // A master without an open slave says EIO, which is its end of file until somebody opens the terminal again.
      const bool ended = moved == 0 || errno == EIO;
      if (moved < 0 && !ended && errno != EAGAIN && errno != EINTR) {
        return {.outcome = Moved::stuck, .bytes = total.bytes, .error = errno};
      }
      if (total.bytes == 0) total.outcome = ended ? Moved::ended : Moved::nothing;
      return total;
    }
    fault_point("carry.filled");
    const Transfer carried = empty_carry(carry_read, log);
    total = {.outcome = carried.outcome, .bytes = total.bytes + carried.bytes, .error = carried.error};
  }
  return total;
}

Result<Fd> CarryOwner::make_page() {
  return make_memory_file("usvc-carry-owner", page_size);
}

Result<CarryOwner> CarryOwner::map(FdRef page) {
  auto mapping = Mapping::map(page, page_size, Mapping::Sharing::shared);
  if (!mapping) return pass(mapping);
  CarryOwner owner;
  owner.mapping_ = std::move(*mapping);
  return owner;
}

void CarryOwner::set(std::string_view id) {
  std::array<char, max_id + 1> text{};
  std::copy_n(id.begin(), std::min(id.size(), max_id), text.begin());
  std::memcpy(mapping_.bytes().data(), text.data(), text.size());
}

std::string CarryOwner::get() const {
  std::array<char, max_id + 1> text{};
  std::memcpy(text.data(), mapping_.bytes().data(), max_id);
  return text.data();
}

}  // namespace usvc
