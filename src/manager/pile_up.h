// Waiting for many jobs without looking at all of them at each change of one.
#pragma once

#include <algorithm>
#include <chrono>

#include "manager/asio.h"

namespace usvc {

// Between two looks at so many jobs: the more there are, the more of their changes are looked at together. Without it,
// n jobs that end at once would be looked at n * n times.
inline asio::awaitable<void> let_changes_pile_up(asio::io_context* io, std::size_t jobs) {
  constexpr std::size_t few = 32;
  constexpr std::chrono::microseconds for_each(20);
  if (jobs <= few) co_return;
  asio::steady_timer pause(*io, std::min<std::chrono::microseconds>(for_each * jobs, std::chrono::milliseconds(100)));
  (void)co_await pause.async_wait(as_result);
}

// Between two parts of a long list: what else waits in the loop has its turn.
inline asio::awaitable<void> let_others_in(asio::io_context* io) {
  co_await asio::post(*io, asio::use_awaitable);
}

}  // namespace usvc
