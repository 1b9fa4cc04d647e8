// One viewer of a job's terminal, over a WebSocket: shapes/terminal.h.
//
// While a program does not read what was typed, nothing more is read from that viewer: it alone waits. What is sent to
// it is always the latest view and never piles up.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "api/connections.h"
#include "manager/terminal.h"

namespace usvc {

class TerminalSession : public std::enable_shared_from_this<TerminalSession> {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;

  TerminalSession(Instance* instance, std::shared_ptr<Connection> connection, std::shared_ptr<Job> job);
  ~TerminalSession();
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;

  // Until the viewer leaves, or the job is no more.
  asio::awaitable<void> serve(Request request, bool read_only);

 private:
  using Socket = boost::beast::websocket::stream<boost::beast::basic_stream<asio::local::stream_protocol>&, false>;

  static asio::awaitable<void> write(std::shared_ptr<TerminalSession> self);
  asio::awaitable<void> read();
  asio::awaitable<void> type(std::string_view bytes);
  bool obey(std::string_view text);
  bool obey(const ViewerMessage& message);
  [[nodiscard]] bool gone() const;

  Instance& instance_;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Job> job_;
  Wakeup changed_;
  Watching watching_{&changed_};
  Socket socket_;
  Viewer viewer_;
  std::int64_t taken_ = 0;
  std::int64_t asked_ = 0;
  bool over_ = false;
};

}  // namespace usvc
