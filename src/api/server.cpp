#include "api/server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <string>
#include <utility>

#include "api/routes.h"
#include "base/unix_socket.h"
#include "base/version.h"
#include "manager/readable.h"
#include "shapes/requests.h"

namespace usvc {

namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr std::size_t most_connections = 512;
// A request must arrive whole within this, and an answer be taken; between requests a connection may idle as long.
constexpr auto patience = std::chrono::seconds(30);
// What waits for a slow reader of events; then it is hung up on.
constexpr std::size_t most_waiting_events = std::size_t{4} << 20U;

using Stream = beast::basic_stream<asio::local::stream_protocol>;

}  // namespace

struct Server::Connection {
  explicit Connection(asio::local::stream_protocol::socket socket) : stream(std::move(socket)) {}
  Stream stream;
  beast::flat_buffer buffer;
};

Status Server::run() {
  const int duplicate = ::fcntl(instance_.listener().get(), F_DUPFD_CLOEXEC, 3);
  if (duplicate < 0) return fail(Error::last("cannot serve the API"));
  listener_ = std::make_unique<asio::posix::stream_descriptor>(instance_.io(), duplicate);
  asio::co_spawn(instance_.io(), accept_loop(), must_not_throw);
  return {};
}

asio::awaitable<void> Server::accept_loop() {
  asio::steady_timer pause(instance_.io());
  for (;;) {
    const auto [error] = co_await listener_->async_wait(asio::posix::stream_descriptor::wait_read, as_result);
    if (error) co_return;
    const int accepted = ::accept4(listener_->native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0) {
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) continue;
      // Out of descriptors: those who wait keep waiting until some are free again.
      pause.expires_after(std::chrono::milliseconds(100));
      (void)co_await pause.async_wait(as_result);
      continue;
    }
    Fd socket(accepted);
    if (peer_uid(socket) != ::geteuid() || connections_ >= most_connections) continue;
    asio::local::stream_protocol::socket stream(instance_.io());
    stream.assign(asio::local::stream_protocol(), socket.release());
    auto connection = std::make_shared<Connection>(std::move(stream));
    ++connections_;
    asio::co_spawn(instance_.io(), serve(connection), [this](const std::exception_ptr&) { --connections_; });
  }
}

namespace {

http::response<http::string_body> to_http(ApiResponse response, unsigned http_version, bool keep_alive) {
  http::response<http::string_body> message(static_cast<http::status>(response.status), http_version);
  message.set(http::field::server, std::string("usvc/") + version);
  message.set(http::field::content_type, "application/json");
  message.keep_alive(keep_alive && !response.end_instance);
  message.body() = std::move(response.body);
  message.prepare_payload();
  return message;
}

asio::awaitable<ApiResponse> handle(Instance* instance, std::string method, std::string target, std::string body) {
  auto request = parse_target(std::move(method), target);
  if (!request) {
    ApiResponse bad;
    bad.status = 400;
    bad.body = json_text(to_json(error_reply(request.error())));
    co_return bad;
  }
  request->body = std::move(body);
  co_return co_await answer(instance, std::move(*request));
}

}  // namespace

asio::awaitable<void> Server::serve(std::shared_ptr<Connection> connection) {
  Stream& stream = connection->stream;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(most_header);
    parser.body_limit(most_body);
    stream.expires_after(patience);
    const auto [read_error, read] = co_await http::async_read(stream, connection->buffer, parser, as_result);
    if (read_error == http::error::body_limit || read_error == http::error::header_limit) {
      ApiResponse large;
      large.status = 413;
      large.body = json_text(to_json(error_reply(Error("the request is too large", ErrorKind::usage))));
      auto message = to_http(std::move(large), 11, false);
      (void)co_await http::async_write(stream, message, as_result);
    }
    if (read_error) co_return;
    stream.expires_never();  // an operation takes what it takes
    auto request = parser.release();
    const unsigned http_version = request.version();
    const bool keep_alive = request.keep_alive();
    std::string method(request.method_string());
    std::string target(request.target());
    ApiResponse response = co_await handle(&instance_, std::move(method), std::move(target), std::move(request.body()));
    if (response.stream_events) co_return co_await stream_events(connection);
    const bool end_instance = response.end_instance;
    if (end_instance) co_await instance_.let_go();  // before the answer: whoever has it may rely on it
    auto message = to_http(std::move(response), http_version, keep_alive);
    stream.expires_after(patience);
    const auto [write_error, written] = co_await http::async_write(stream, message, as_result);
    if (end_instance) instance_.quit();
    if (write_error || !message.keep_alive()) co_return;
  }
}

asio::awaitable<void> Server::stream_events(std::shared_ptr<Connection> connection) {
  Wakeup more(instance_.io());
  std::string waiting;
  bool too_slow = false;
  auto& listeners = instance_.listeners();
  const auto place = listeners.insert(listeners.end(), [&](const std::string& line) {
    too_slow = too_slow || waiting.size() > most_waiting_events;
    if (!too_slow) waiting += line + "\n";
    more.notify();
  });
  http::response<http::empty_body> head(http::status::ok, 11);
  head.set(http::field::content_type, "application/x-ndjson");
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer(head);
  connection->stream.expires_after(patience);
  auto [error, size] = co_await http::async_write_header(connection->stream, serializer, as_result);
  while (!error && !too_slow) {
    // An idle stream finds out that its reader has gone by an empty line now and then.
    const bool notified = co_await more.wait_until(Wakeup::Clock::now() + patience);
    std::string part = notified ? std::exchange(waiting, {}) : "\n";
    if (part.empty()) continue;
    connection->stream.expires_after(patience);
    const auto chunk = http::make_chunk(asio::const_buffer(part.data(), part.size()));
    const auto [chunk_error, chunk_size] = co_await asio::async_write(connection->stream, chunk, as_result);
    error = chunk_error;
  }
  listeners.erase(place);
}

}  // namespace usvc
