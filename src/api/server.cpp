#include "api/server.h"

#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <cerrno>
#include <span>
#include <sstream>
#include <string>
#include <utility>

#include "api/terminal_session.h"
#include "base/fault_point.h"
#include "base/message.h"
#include "base/ready.h"
#include "base/unix_socket.h"
#include "base/version.h"
#include "manager/readable.h"
#include "shapes/requests.h"

namespace usvc {

namespace http = boost::beast::http;

namespace {

// A request must arrive whole within this, and an answer be taken; between requests a connection may idle as long.
constexpr auto patience = std::chrono::seconds(30);
constexpr std::size_t first_bytes = 4096;
// Up to this a body may come without asking.
constexpr std::uint64_t small_body = std::uint64_t{64} << 10U;
// Operations that are carried through although whoever asked for them has gone; beyond it none is begun.
constexpr std::size_t most_lingering = 1024;
// What waits for a slow reader of events, and for all of them; then it is hung up on.
constexpr std::size_t most_waiting_events = std::size_t{4} << 20U;
constexpr std::size_t most_waiting_events_of_all = std::size_t{32} << 20U;
// Of the places for connections: others have something to ask too.
constexpr std::size_t most_viewers = 256;

ApiResponse refusal(int status, const Error& error) {
  ApiResponse response;
  response.status = status;
  response.body = to_json_text(error_reply(error));
  return response;
}

http::response<http::string_body> to_http(ApiResponse response, unsigned http_version, bool keep_alive) {
  http::response<http::string_body> message(static_cast<http::status>(response.status), http_version);
  message.set(http::field::server, std::string("usvc/") + version);
  message.set(http::field::content_type, "application/json");
  message.keep_alive(keep_alive && !response.end_instance);
  message.body() = std::move(response.body);
  message.prepare_payload();
  return message;
}

// Told in one go, to somebody there is no place for.
void turn_away(const Fd& socket) {
  const Error error = Error("the manager has too many connections", ErrorKind::unreachable).hint("try again");
  std::ostringstream text;
  text << to_http(refusal(503, error), 11, false);
  const std::string bytes = text.str();
  (void)::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// A client that has only ended its own side (nc -N, say) still waits for its answer.
bool hung_up(Connection& connection) {
  return ready_now(FdRef(connection.stream.socket().native_handle()), 0);
}

// Tells, as long as `guard` lives.
template <class Told>
void on_hang_up(const std::shared_ptr<Connection>& connection, const std::shared_ptr<void>& guard, Told told) {
  auto handler = [waiting = std::weak_ptr(connection), weak = std::weak_ptr(guard),
                  told = std::move(told)](boost::system::error_code error) {
    const auto open = waiting.lock();
    const auto alive = weak.lock();
    if (!open || !alive || error) return;
    if (hung_up(*open)) return told();
    on_hang_up(open, alive, told);
  };
  connection->stream.socket().async_wait(asio::socket_base::wait_error, std::move(handler));
}

}  // namespace

// One request at work, which may outlive the connection it came by.
struct Server::Work {
  explicit Work(asio::io_context& io) : change(io) {}
  Wakeup change;
  Caller caller;
  bool client_gone = false;
  std::optional<ApiResponse> response;
};

Status Server::run() {
  if (auto listening = listen(); !listening) return listening;
  asio::co_spawn(instance_.io(), guard_socket(), must_not_throw);
  trim_.soon();  // the journal and the confs have been read
  return {};
}

Status Server::listen() {
  Fd listener = try_duplicate(instance_.listener());
  if (!listener) return fail(Error::last("cannot serve the API"));
  if (listener_) listener_->cancel();
  listener_ = std::make_shared<asio::posix::stream_descriptor>(instance_.io(), listener.release());
  asio::co_spawn(instance_.io(), accept_loop(listener_), must_not_throw);
  return {};
}

// Somebody may tidy the socket away, or its whole directory: without it nobody finds us.
asio::awaitable<void> Server::guard_socket() {
  const Layout& layout = instance_.layout();
  const Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  asio::steady_timer pause(instance_.io());
  for (;;) {
    constexpr std::uint32_t goings = IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF;
    const bool watched = watch && ::inotify_add_watch(watch.get(), layout.run_dir.c_str(), goings) >= 0;
    const bool there = ::access(layout.socket.c_str(), F_OK) == 0;
    const bool mended = there || (instance_.listen_anew() && listen());
    // It was made anew in a directory that may not be watched yet; what could not be done now is tried again.
    const auto soon = Wakeup::Clock::now() + std::chrono::seconds(1);
    const auto deadline = watched && there && mended ? Wakeup::never : soon;
    Fd changes = try_duplicate(watch);
    if (!changes) {  // without a watch it is looked at every so often
      pause.expires_at(soon);
      (void)co_await pause.async_wait(as_result);
      continue;
    }
    (void)co_await readable_until(&instance_.io(), std::move(changes), deadline);
    std::array<char, 4096> events;
    while (::read(watch.get(), events.data(), events.size()) > 0) {
    }
  }
}

asio::awaitable<void> Server::accept_loop(std::shared_ptr<asio::posix::stream_descriptor> listener) {
  asio::steady_timer pause(instance_.io());
  for (;;) {
    const auto [error] = co_await listener->async_wait(asio::posix::stream_descriptor::wait_read, as_result);
    if (error) co_return;
    const int accepted = ::accept4(listener->native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0) {
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) continue;
      // Out of descriptors: whoever idles gives way, and those who wait keep waiting until some are free again.
      (void)connections_.drop_idle();
      pause.expires_after(std::chrono::milliseconds(100));
      (void)co_await pause.async_wait(as_result);
      continue;
    }
    admit(Fd(accepted));
  }
}

void Server::admit(Fd socket) {
  if (peer_uid(socket) != ::geteuid()) return;
  if (!connections_.make_room()) return turn_away(socket);
  asio::local::stream_protocol::socket stream(instance_.io());
  stream.assign(asio::local::stream_protocol(), socket.release());
  auto connection = std::make_shared<Connection>(std::move(stream));
  connections_.add(connection);
  asio::co_spawn(instance_.io(), serve(connection), [this, connection](const std::exception_ptr& thrown) {
    connections_.remove(connection);
    trim_.soon();
    must_not_throw(thrown);
  });
}

// The first bytes of a connection may come with a descriptor, which Asio's own reads would throw away. False: it ended.
asio::awaitable<bool> Server::receive_first(std::shared_ptr<Connection> connection) {
  auto& socket = connection->stream.socket();
  asio::steady_timer timer(instance_.io(), patience);
  timer.async_wait([late = std::weak_ptr(connection)](boost::system::error_code error) {
    const auto waiting = late.lock();
    if (waiting && !error) waiting->hang_up();
  });
  for (;;) {
    const auto [error] = co_await socket.async_wait(asio::socket_base::wait_read, as_result);
    if (error) co_return false;
    const auto room = connection->buffer.prepare(first_bytes);
    auto received =
        receive_message(FdRef(socket.native_handle()), std::span(static_cast<std::byte*>(room.data()), room.size()));
    if (!received && received.error().code() == EAGAIN) continue;
    timer.cancel();
    if (!received || received->size == 0) co_return false;
    connection->buffer.commit(received->size);
    if (!received->fds.empty()) connection->sent = std::move(received->fds.front());
    co_return true;
  }
}

asio::awaitable<void> Server::serve(std::shared_ptr<Connection> connection) {
  auto& stream = connection->stream;
  if (!co_await receive_first(connection)) co_return;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(most_header);
    parser.body_limit(most_body);
    connection->idle = true;
    connection->idle_since = Connection::Clock::now();
    stream.expires_after(patience);
    auto [read_error, size] = co_await http::async_read_header(stream, connection->buffer, parser, as_result);
    if (!read_error && !parser.is_done()) {
      std::uint64_t expected = most_body;
      if (parser.content_length()) expected = *parser.content_length();
      if (expected > small_body) connections_.hold(*connection, expected);
      auto [body_error, body_size] = co_await http::async_read(stream, connection->buffer, parser, as_result);
      read_error = body_error;
    }
    connection->idle = false;
    if (read_error == http::error::body_limit || read_error == http::error::header_limit) {
      auto message = to_http(refusal(413, Error("the request is too large", ErrorKind::usage)), 11, false);
      (void)co_await http::async_write(stream, message, as_result);
    }
    if (read_error) co_return;
    stream.expires_never();  // an operation takes what it takes
    auto raw = parser.release();
    const unsigned http_version = raw.version();
    const bool keep_alive = raw.keep_alive();
    auto request = parse_target(std::string(raw.method_string()), std::string(raw.target()));
    bool read_only = false;
    std::optional<ApiResponse> response;
    if (request) {
      request->body = std::move(raw.body());
      // What comes before it is accepted is no WebSocket's.
      request->websocket = boost::beast::websocket::is_upgrade(raw) && connection->buffer.size() == 0;
      read_only = request->read_only;
      request->sent = std::move(connection->sent);
      response = co_await attend(connection, std::move(*request));
    } else {
      response = refusal(400, request.error());
    }
    fault_point("manager.answer");
    if (!response) co_return;  // nobody is there to be answered
    if (response->stream_events) co_return co_await stream_events(connection);
    if (response->terminal) {
      if (viewers_ < most_viewers) co_return co_await show_terminal(connection, response->terminal, raw, read_only);
      response = refusal(503, Error("too many viewers are attached", ErrorKind::unreachable).hint("detach some"));
    }
    const bool end_instance = response->end_instance;
    connections_.hold(*connection, response->body.size());
    auto message = to_http(std::move(*response), http_version, keep_alive);
    stream.expires_after(patience);
    const auto [write_error, written] = co_await http::async_write(stream, message, as_result);
    connections_.release(*connection);
    if (end_instance) instance_.quit();
    if (write_error || !message.keep_alive()) co_return;
  }
}

// The answer, or nothing when the client hung up before it was there.
asio::awaitable<std::optional<ApiResponse>> Server::attend(std::shared_ptr<Connection> connection, ApiRequest request) {
  connections_.release(*connection);
  if (request.method == "GET") {
    ApiResponse response = co_await answer(&instance_, std::move(request));
    co_return std::optional<ApiResponse>(std::move(response));
  }
  // Whoever gave up before it was looked at has told its user that nothing came of it.
  if (hung_up(*connection)) co_return std::nullopt;
  if (may_linger(request) && lingering_ >= most_lingering) {
    const Error error("too many requests whose clients have gone are still at work", ErrorKind::unreachable);
    co_return std::optional<ApiResponse>(refusal(503, error));
  }
  auto work = std::make_shared<Work>(instance_.io());
  request.caller = std::shared_ptr<Caller>(work, &work->caller);
  asio::co_spawn(instance_.io(), carry_out(work, std::move(request)), must_not_throw);
  on_hang_up(connection, work, [heard = work.get()] {
    heard->client_gone = true;
    heard->change.notify();
  });
  while (!work->response && !work->client_gone) co_await work->change.wait();
  boost::system::error_code ignored;
  connection->stream.socket().cancel(ignored);
  if (!work->response) {
    ++lingering_;
    work->caller.leave();
  }
  co_return std::move(work->response);
}

asio::awaitable<void> Server::carry_out(std::shared_ptr<Work> work, ApiRequest request) {
  ApiResponse response = co_await answer(&instance_, std::move(request));
  if (response.end_instance) co_await instance_.let_go();  // before the answer: whoever has it may rely on it
  const bool nobody_waits = work->caller.gone();
  if (nobody_waits) --lingering_;
  if (nobody_waits && response.end_instance) instance_.quit();
  work->response = std::move(response);
  work->change.notify();
}

asio::awaitable<void> Server::show_terminal(std::shared_ptr<Connection> connection, std::shared_ptr<Job> job,
                                            http::request<http::string_body> request, bool read_only) {
  ++viewers_;
  const auto session = std::make_shared<TerminalSession>(&instance_, std::move(connection), std::move(job));
  co_await session->serve(std::move(request), read_only);
  --viewers_;
}

asio::awaitable<void> Server::stream_events(std::shared_ptr<Connection> connection) {
  Wakeup more(instance_.io());
  std::string waiting;
  std::size_t sending = 0;
  bool too_slow = false;
  auto& listeners = instance_.listeners();
  const auto place = listeners.insert(listeners.end(), [&](const std::string& line) {
    too_slow = too_slow || waiting.size() > most_waiting_events || waiting_events_ > most_waiting_events_of_all;
    if (!too_slow) {
      waiting += line + "\n";
      waiting_events_ += line.size() + 1;
    }
    more.notify();
  });
  bool client_gone = false;
  const auto guard = std::make_shared<bool>();
  on_hang_up(connection, guard, [&] {
    client_gone = true;
    more.notify();
  });
  http::response<http::empty_body> head(http::status::ok, 11);
  head.set(http::field::content_type, "application/x-ndjson");
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer(head);
  connection->stream.expires_after(patience);
  auto [error, size] = co_await http::async_write_header(connection->stream, serializer, as_result);
  while (!error && !too_slow && !client_gone) {
    // An idle stream finds out that its reader has gone by an empty line now and then.
    const bool notified = co_await more.wait_until(Wakeup::Clock::now() + patience);
    std::string part = notified ? std::exchange(waiting, {}) : "\n";
    if (part.empty()) continue;
    if (notified) sending = part.size();
    connection->stream.expires_after(patience);
    const auto chunk = http::make_chunk(asio::const_buffer(part.data(), part.size()));
    const auto [chunk_error, chunk_size] = co_await asio::async_write(connection->stream, chunk, as_result);
    error = chunk_error;
    waiting_events_ -= std::exchange(sending, 0);
  }
  waiting_events_ -= waiting.size() + sending;
  listeners.erase(place);
}

}  // namespace usvc
