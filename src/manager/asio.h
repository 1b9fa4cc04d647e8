// The parts of Boost.Asio the manager uses, under one name.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace usvc {

namespace asio = boost::asio;

// I/O errors as values: co_await thing.async_x(…, as_result) gives a tuple that begins with an error code. Deferred: an
// operation that is awaited at once needs no coroutine of its own.
inline constexpr auto as_result = asio::as_tuple(asio::deferred);

}  // namespace usvc
