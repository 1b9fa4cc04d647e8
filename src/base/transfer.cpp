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

// After a splice from a terminal that moved nothing. A master without an open slave says EIO, which is its end of file
// until somebody opens the terminal again.
Transfer after_terminal(ssize_t moved, int error) {
  if (moved == 0 || error == EIO) return {.outcome = Moved::ended};
  if (error == EAGAIN || error == EINTR) return {.outcome = Moved::nothing};
  return {.outcome = Moved::stuck, .error = error};
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

// As much as the carry pipe takes; full, it says what an empty terminal says. A terminal gives a page at most: asked
// for more, splice would get itself that many pages each time.
Transfer fill_carry(FdRef master, FdRef carry, std::size_t limit) {
  std::size_t total = 0;
  while (total < limit) {
    const std::size_t most = std::min(limit - total, page_size);
    const ssize_t moved = ::splice(master.get(), nullptr, carry.get(), nullptr, most, SPLICE_F_NONBLOCK);
    if (moved <= 0 && total == 0) return after_terminal(moved, errno);
    if (moved <= 0) break;  // what ended it is met again
    total += static_cast<std::size_t>(moved);
  }
  return {.outcome = Moved::some, .bytes = total};
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
  const Transfer left = empty_carry(carry_read, log);
  if (left.outcome == Moved::stuck || left.bytes >= limit) return left;
  const Transfer filled = fill_carry(master, carry_write, limit - left.bytes);
  if (filled.bytes == 0) {
    const bool told = left.bytes > 0 && filled.outcome != Moved::stuck;
    return {.outcome = told ? Moved::some : filled.outcome, .bytes = left.bytes, .error = filled.error};
  }
  fault_point("carry.filled");
  const Transfer carried = empty_carry(carry_read, log);
  return {.outcome = carried.outcome, .bytes = left.bytes + carried.bytes, .error = carried.error};
}

Result<LineMover> LineMover::create() {
  auto copy = make_carry();
  if (!copy) return pass(copy);
  LineMover mover;
  mover.copy_ = std::move(*copy);
  mover.buffer_.resize(std::size_t{64} << 10U);
  return mover;
}

// How much of what waits in the pipe is to be moved.
std::size_t LineMover::line_length(FdRef pipe, std::size_t limit) {
  const ssize_t copied = ::tee(pipe.get(), copy_.write.get(), std::min(limit, buffer_.size()), SPLICE_F_NONBLOCK);
  if (copied <= 0) return limit;  // nothing there, or its end: splice tells
  const ssize_t seen = ::read(copy_.read.get(), buffer_.data(), static_cast<std::size_t>(copied));
  if (seen <= 0) return limit;
  const auto newline = std::string_view(buffer_.data(), static_cast<std::size_t>(seen)).find('\n');
  at_line_end_ = newline != std::string_view::npos;
  return at_line_end_ ? newline + 1 : static_cast<std::size_t>(seen);
}

Transfer LineMover::from_pipe(FdRef pipe, FdRef log, std::size_t limit) {
  at_line_end_ = false;
  const std::size_t length = line_length(pipe, limit);
  const Transfer step = move_pipe_to_log(pipe, log, length);
  if (step.bytes != length) at_line_end_ = false;
  return step;
}

// What is in the carry pipe can't be left there for the next log, since others wait for it: so byte by byte.
Transfer LineMover::from_terminal(FdRef master, FdRef carry_read, FdRef carry_write, FdRef log, std::size_t limit) {
  at_line_end_ = false;
  Transfer total = empty_carry(carry_read, log);
  while (total.outcome != Moved::stuck && total.bytes < limit && !at_line_end_) {
    const ssize_t moved = ::splice(master.get(), nullptr, carry_write.get(), nullptr, 1, SPLICE_F_NONBLOCK);
    if (moved <= 0) {
      if (total.bytes == 0) total = after_terminal(moved, errno);
      return total;
    }
    (void)line_length(carry_read, 1);
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
