// Waiting for a descriptor, a pidfd mostly, with a deadline.
#pragma once

#include <chrono>
#include <memory>

#include "base/fd.h"
#include "base/ready.h"
#include "manager/asio.h"

namespace usvc {

// True: it can be read (of a pidfd: the process has ended); false: the deadline came first.
inline asio::awaitable<bool> readable_until(asio::io_context* io, Fd fd,
                                            std::chrono::steady_clock::time_point deadline) {
  auto descriptor = std::make_shared<asio::posix::stream_descriptor>(*io, fd.release());
  asio::steady_timer timer(*io, deadline);
  // Both may have become ready in the same turn: then this comes late, and must not touch what is gone.
  timer.async_wait([late = std::weak_ptr(descriptor)](boost::system::error_code error) {
    const auto waiting = late.lock();
    if (!waiting || error) return;
    boost::system::error_code ignored;
    waiting->cancel(ignored);
  });
  bool readable = false;
  while (!readable && std::chrono::steady_clock::now() < deadline) {
    const auto [error] = co_await descriptor->async_wait(asio::posix::stream_descriptor::wait_read, as_result);
    if (error) break;
    // A wait may end although nothing has happened to its own descriptor: Asio hands the place of a closed one on with
    // an event that was still under way.
    readable = ready_now(FdRef(descriptor->native_handle()));
  }
  timer.cancel();
  co_return readable;
}

// What becomes of a coroutine that nobody waits for: an exception in it is our bug or the end of memory. It leaves the
// loop, the manager ends, and the next one takes over.
inline constexpr auto must_not_throw = [](const std::exception_ptr& thrown) {
  if (thrown) std::rethrow_exception(thrown);
};

}  // namespace usvc
