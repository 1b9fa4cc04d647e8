// HTTP/1.1 over the instance's unix socket. Peers of another user are turned away; every size and wait has a bound.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "api/connections.h"
#include "api/routes.h"
#include "manager/instance.h"
#include "manager/trim.h"

namespace usvc {

inline constexpr std::uint32_t most_header = 64U << 10U;
inline constexpr std::uint64_t most_body = std::uint64_t{16} << 20U;

class Server {
 public:
  explicit Server(Instance* instance) : instance_(*instance), trim_(instance->io()) {}
  // Accepts on the instance's listener until the loop ends.
  Status run();

 private:
  struct Work;
  Status listen();
  asio::awaitable<void> accept_loop(std::shared_ptr<asio::posix::stream_descriptor> listener);
  asio::awaitable<void> guard_socket();
  void admit(Fd socket);
  asio::awaitable<bool> receive_first(std::shared_ptr<Connection> connection);
  asio::awaitable<void> serve(std::shared_ptr<Connection> connection);
  asio::awaitable<std::optional<ApiResponse>> attend(std::shared_ptr<Connection> connection, ApiRequest request);
  asio::awaitable<void> carry_out(std::shared_ptr<Work> work, ApiRequest request);
  asio::awaitable<void> stream_events(std::shared_ptr<Connection> connection);
  asio::awaitable<void> show_terminal(std::shared_ptr<Connection> connection, std::shared_ptr<Job> job,
                                      boost::beast::http::request<boost::beast::http::string_body> request,
                                      bool read_only);

  Instance& instance_;
  Connections connections_;
  Trim trim_;
  std::size_t lingering_ = 0;  // operations that nobody waits for any more
  std::size_t viewers_ = 0;
  std::size_t waiting_events_ = 0;  // bytes, of all who follow events
  std::shared_ptr<asio::posix::stream_descriptor> listener_;
};

}  // namespace usvc
