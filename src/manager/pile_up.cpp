#include "manager/pile_up.h"

#include <algorithm>
#include <chrono>

namespace usvc {

asio::awaitable<void> let_changes_pile_up(asio::io_context* io, std::size_t jobs) {
  constexpr std::size_t few = 32;
  constexpr std::chrono::microseconds for_each(20);
  if (jobs <= few) co_return;
  asio::steady_timer pause(*io, std::min<std::chrono::microseconds>(for_each * jobs, std::chrono::milliseconds(100)));
  (void)co_await pause.async_wait(as_result);
}

asio::awaitable<void> let_others_in(asio::io_context* io) {
  co_await asio::post(*io, asio::deferred);
}

}  // namespace usvc
