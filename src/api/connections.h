// Who is connected, and what they may cost: places give way, the oldest that only idles first, and large things in
// memory (a request's body that is still to come, an answer nobody has taken yet) share one allowance.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>

#include "base/fd.h"
#include "manager/wakeup.h"

namespace usvc {

struct Connection {
  using Clock = Wakeup::Clock;

  explicit Connection(asio::local::stream_protocol::socket socket) : stream(std::move(socket)) {}
  void hang_up();

  boost::beast::basic_stream<asio::local::stream_protocol> stream;
  boost::beast::flat_buffer buffer;
  Fd sent;           // what came beside the first bytes, until a request takes it
  bool idle = true;  // no whole request has come yet
  bool hung_up = false;
  Clock::time_point idle_since = Clock::now();
  std::size_t held = 0;  // of the allowance
  Clock::time_point held_since;
};

class Connections {
 public:
  // A place for one more; nothing when all are busy.
  bool make_room();
  void add(const std::shared_ptr<Connection>& connection);
  void remove(const std::shared_ptr<Connection>& connection);
  // Hangs up on the one that has idled longest; false when none idles.
  bool drop_idle();

  // Counts this towards the allowance; where it is too much, those who have held theirs longest are hung up on.
  void hold(Connection& connection, std::size_t bytes);
  void release(Connection& connection);

 private:
  bool drop_holder(const Connection& but);

  std::list<std::shared_ptr<Connection>> all_;
  std::size_t held_ = 0;
};

}  // namespace usvc
