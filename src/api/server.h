// HTTP/1.1 over the instance's unix socket. Peers of another user are turned away; every size and wait has a bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "manager/instance.h"

namespace usvc {

inline constexpr std::uint32_t most_header = 64U << 10U;
inline constexpr std::uint64_t most_body = std::uint64_t{16} << 20U;

class Server {
 public:
  explicit Server(Instance* instance) : instance_(*instance) {}
  // Accepts on the instance's listener until the loop ends.
  Status run();

 private:
  struct Connection;
  asio::awaitable<void> accept_loop();
  asio::awaitable<void> serve(std::shared_ptr<Connection> connection);
  asio::awaitable<void> stream_events(std::shared_ptr<Connection> connection);

  Instance& instance_;
  std::size_t connections_ = 0;
  std::unique_ptr<asio::posix::stream_descriptor> listener_;
};

}  // namespace usvc
