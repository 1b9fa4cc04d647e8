// The viewer's line to the manager: what is typed goes there, what it has to say of the terminal comes back
// (shapes/terminal.h). When the manager is replaced it connects again, and sends what no manager has confirmed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/window_size.h"
#include "shapes/terminal.h"

namespace usvc {

class TerminalLink {
 public:
  struct Spec {
    std::string socket;
    std::string job;
    bool read_only = false;
    std::function<bool()> instance_runs;
  };
  struct Events {
    std::function<void(const TerminalView&)> view;
    // It is over: the job is not there (ErrorKind::no_match), or no instance any more (unreachable).
    std::function<void(const Error&)> ended;
  };

  TerminalLink(boost::asio::io_context& io, Spec spec, Events events);
  ~TerminalLink();
  TerminalLink(const TerminalLink&) = delete;
  TerminalLink& operator=(const TerminalLink&) = delete;
  TerminalLink(TerminalLink&&) = delete;
  TerminalLink& operator=(TerminalLink&&) = delete;

  void connect();
  // More than this may not be waiting: who types on anyway is not heard.
  static constexpr std::size_t most_pending = std::size_t{64} << 10U;
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }
  void type(std::string_view bytes);
  void resize(WindowSize size);
  // The view that answers bears this number in `asked`.
  std::int64_t ask();
  void have_redrawn();

 private:
  struct Connection;
  void attempt();
  void connected(const std::shared_ptr<Connection>& connection);
  void refused(const std::shared_ptr<Connection>& connection);
  void lost(const std::shared_ptr<Connection>& connection);
  void try_again();
  void read(const std::shared_ptr<Connection>& connection);
  void heard(Connection& connection, std::string_view text);
  void write(const std::shared_ptr<Connection>& connection);
  void flush();
  std::optional<ViewerMessage> next_message();

  boost::asio::io_context& io_;
  Spec spec_;
  Events events_;
  boost::asio::steady_timer pause_;
  std::shared_ptr<Connection> connection_;  // none: it is being made
  std::string pending_;                     // typed, and not confirmed
  std::optional<WindowSize> size_;
  bool size_sent_ = false;
  bool size_known_ = false;  // an earlier manager had it
  bool redraw_ = false;
  std::int64_t asked_ = 0;
  std::int64_t asked_sent_ = 0;
};

}  // namespace usvc
