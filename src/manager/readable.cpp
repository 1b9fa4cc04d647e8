#include "manager/readable.h"

#include <memory>
#include <utility>

#include "base/ready.h"

namespace usvc {

asio::awaitable<bool> readable_until(asio::io_context* io, Fd fd, std::chrono::steady_clock::time_point deadline) {
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

}  // namespace usvc
