// Waiting for many jobs without looking at all of them at each change of one.
#pragma once

#include <cstddef>

#include "manager/asio.h"

namespace usvc {

// Between two looks at so many jobs: the more there are, the more of their changes are looked at together. Without it,
// n jobs that end at once would be looked at n * n times.
asio::awaitable<void> let_changes_pile_up(asio::io_context* io, std::size_t jobs);

// Between two parts of a long list: what else waits in the loop has its turn.
asio::awaitable<void> let_others_in(asio::io_context* io);

}  // namespace usvc
