#include "terminal/link.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/unix_socket.h"
#include "shapes/requests.h"
#include "shapes/routes.h"

namespace usvc {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

namespace {

constexpr auto reconnect_pause = std::chrono::milliseconds(20);
constexpr std::size_t largest_frame = std::size_t{16} << 10U;
static_assert(largest_frame <= largest_terminal_frame);

}  // namespace

struct TerminalLink::Connection {
  explicit Connection(asio::io_context& io) : socket(io) {}

  websocket::stream<asio::local::stream_protocol::socket, false> socket;
  websocket::response_type response;
  boost::beast::flat_buffer incoming;
  std::string outgoing;
  bool writing = false;
  bool open = false;
  std::size_t sent = 0;  // of pending_
  std::int64_t taken = 0;
};

TerminalLink::TerminalLink(asio::io_context& io, Spec spec, Events events)
    : io_(io), spec_(std::move(spec)), events_(std::move(events)), pause_(io) {}

TerminalLink::~TerminalLink() = default;

void TerminalLink::connect() {
  attempt();
}

void TerminalLink::attempt() {
  auto socket = connect_unix(spec_.socket);
  if (!socket) return try_again();
  auto connection = std::make_shared<Connection>(io_);
  error_code error;
  connection->socket.next_layer().assign(asio::local::stream_protocol(), socket->release(), error);
  if (error) return try_again();
  connection->socket.read_message_max(largest_terminal_frame);
  std::string target = std::string(route::job) + spec_.job + route::terminal;
  if (spec_.read_only) target += "?read-only=1";
  connection_ = connection;
  connection->socket.async_handshake(connection->response, "usvc", target, [this, connection](error_code failed) {
    if (connection != connection_) return;
    if (!failed) return connected(connection);
    return failed == websocket::error::upgrade_declined ? refused(connection) : lost(connection);
  });
}

// It is being replaced, or has ended for good.
void TerminalLink::try_again() {
  if (!spec_.instance_runs()) {
    return events_.ended(Error("the instance does not run any more", ErrorKind::unreachable).hint("usvc init"));
  }
  pause_.expires_after(reconnect_pause);
  pause_.async_wait([this](error_code error) {
    if (!error) attempt();
  });
}

void TerminalLink::refused(const std::shared_ptr<Connection>& connection) {
  const auto reply = parse_as<ErrorReply>(connection->response.body());
  if (reply && !reply->error.message.empty()) return events_.ended(error_from(*reply));
  events_.ended(Error("the manager refused to show the terminal", ErrorKind::unreachable));
}

void TerminalLink::lost(const std::shared_ptr<Connection>& connection) {
  if (connection != connection_) return;
  connection_.reset();
  error_code ignored;
  connection->socket.next_layer().close(ignored);
  size_known_ = size_known_ || size_sent_;
  size_sent_ = false;
  asked_sent_ = 0;
  try_again();
}

void TerminalLink::connected(const std::shared_ptr<Connection>& connection) {
  connection->open = true;
  read(connection);
  flush();
}

void TerminalLink::read(const std::shared_ptr<Connection>& connection) {
  connection->socket.async_read(connection->incoming, [this, connection](error_code error, std::size_t) {
    if (connection != connection_) return;
    if (error) return lost(connection);
    const auto bytes = connection->incoming.cdata();
    heard(*connection, {static_cast<const char*>(bytes.data()), bytes.size()});
    connection->incoming.consume(bytes.size());
    read(connection);
  });
}

void TerminalLink::heard(Connection& connection, std::string_view text) {
  const auto view = parse_as<TerminalView>(text);
  if (!view) return;
  const auto confirmed = static_cast<std::size_t>(
      std::clamp<std::int64_t>(view->taken - connection.taken, 0, static_cast<std::int64_t>(connection.sent)));
  connection.taken += static_cast<std::int64_t>(confirmed);
  connection.sent -= confirmed;
  pending_.erase(0, confirmed);
  events_.view(*view);
}

std::optional<ViewerMessage> TerminalLink::next_message() {
  ViewerMessage message;
  bool any = false;
  if (size_ && !size_sent_) {
    message.rows = size_->rows;
    message.columns = size_->columns;
    if (size_known_) message.again = true;
    size_sent_ = any = true;
  }
  if (std::exchange(redraw_, false)) message.redraw = any = true;
  if (asked_sent_ != asked_) {
    message.ask = asked_sent_ = asked_;
    any = true;
  }
  return any ? std::optional(message) : std::nullopt;
}

void TerminalLink::flush() {
  if (connection_ && connection_->open && !connection_->writing) write(connection_);
}

void TerminalLink::write(const std::shared_ptr<Connection>& connection) {
  if (const auto message = next_message()) {
    connection->outgoing = to_json_text(*message, Absent::omit);
    connection->socket.text(true);
  } else {
    connection->outgoing = pending_.substr(connection->sent, largest_frame);
    if (connection->outgoing.empty()) return;
    connection->sent += connection->outgoing.size();
    connection->socket.binary(true);
  }
  connection->writing = true;
  connection->socket.async_write(asio::buffer(connection->outgoing), [this, connection](error_code error, std::size_t) {
    if (connection != connection_) return;
    // What it had confirmed before it went is still there to be read, and the end behind it.
    if (error) return;
    connection->writing = false;
    write(connection);
  });
}

void TerminalLink::type(std::string_view bytes) {
  pending_ += bytes;
  flush();
}

void TerminalLink::resize(WindowSize size) {
  if (size_ == size) return;
  size_ = size;
  size_sent_ = false;
  if (!connection_) size_known_ = false;  // it is news for the next manager too
  flush();
}

std::int64_t TerminalLink::ask() {
  ++asked_;
  flush();
  return asked_;
}

void TerminalLink::have_redrawn() {
  redraw_ = true;
  flush();
}

}  // namespace usvc
