// Waiting for a descriptor, a pidfd mostly, with a deadline.
#pragma once

#include <chrono>
#include <exception>

#include "base/fd.h"
#include "manager/asio.h"

namespace usvc {

// True: it can be read (of a pidfd: the process has ended); false: the deadline came first.
asio::awaitable<bool> readable_until(asio::io_context* io, Fd fd, std::chrono::steady_clock::time_point deadline);

// What becomes of a coroutine that nobody waits for: an exception in it is our bug or the end of memory. It leaves the
// loop, the manager ends, and the next one takes over.
inline constexpr auto must_not_throw = [](const std::exception_ptr& thrown) {
  if (thrown) std::rethrow_exception(thrown);
};

}  // namespace usvc
