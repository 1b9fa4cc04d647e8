#include "cli/client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <cstddef>
#include <span>

#include "base/files.h"
#include "base/message.h"

namespace usvc {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace asio = boost::asio;

namespace {

constexpr std::uint64_t largest_reply = std::uint64_t{256} << 20U;
constexpr std::size_t read_at_once = std::size_t{64} << 10U;

beast::error_code error_of(int err) {
  return {err, boost::system::system_category()};
}

// What Beast needs of a stream, on a blocking socket: no event loop is made for one request.
class Stream {
 public:
  Stream(const Fd& fd, FdRef lent, const Silence& silence) : fd_(fd.get()), lent_(lent.get()), silence_(&silence) {}

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, beast::error_code& error) {
    for (const asio::mutable_buffer buffer : beast::buffers_range_ref(buffers)) {
      if (buffer.size() == 0) continue;
      for (;;) {
        if (!await_bytes()) {
          error = error_of(ECANCELED);
          return 0;
        }
        const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), silence_->given_up.get() < 0 ? 0 : MSG_DONTWAIT);
        if (got > 0) return static_cast<std::size_t>(got);
        const int err = errno;
        const bool silent = got < 0 && err == EAGAIN;
        if (got < 0 && (err == EINTR || (silent && silence_->go_on()))) continue;
        error = got == 0 ? beast::error_code(asio::error::eof) : error_of(silent ? ETIMEDOUT : err);
        return 0;
      }
    }
    return 0;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    beast::error_code error;
    const std::size_t got = read_some(buffers, error);
    if (error) throw beast::system_error(error);
    return got;
  }

  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, beast::error_code& error) {
    std::array<iovec, 16> pieces{};
    std::size_t count = 0;
    for (const asio::const_buffer buffer : beast::buffers_range_ref(buffers)) {
      if (count == pieces.size()) break;
      // sendmsg(2) only reads through the pointer.
      pieces[count++] = {const_cast<void*>(buffer.data()), buffer.size()};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    FdAttachment attachment;
    if (lent_ >= 0) attachment.attach(message, std::span(&lent_, 1));
    ssize_t written = 0;
    do {
      written = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    } while (written < 0 && errno == EINTR);
    if (written > 0) lent_ = -1;
    if (written >= 0) return static_cast<std::size_t>(written);
    error = error_of(errno);
    return 0;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    beast::error_code error;
    const std::size_t written = write_some(buffers, error);
    if (error) throw beast::system_error(error);
    return written;
  }

 private:
  // False: they are not wanted any more.
  [[nodiscard]] bool await_bytes() const {
    if (silence_->given_up.get() < 0) return true;  // recv(2) waits itself
    std::array<pollfd, 2> fds = {pollfd{fd_, POLLIN, 0}, pollfd{silence_->given_up.get(), POLLIN, 0}};
    (void)::poll(
        fds.data(), fds.size(),
        static_cast<int>(std::chrono::milliseconds(silence_->bearable).count()));  // recv(2) tells what is wrong
    return fds[1].revents == 0;
  }

  int fd_;
  int lent_;  // until it has gone along
  const Silence* silence_;
};

}  // namespace

Result<Reply> exchange(const Fd& connection, const Question& question, const Silence& silence) {
  timeval bearable{};
  bearable.tv_sec = silence.bearable.count();
  if (::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &bearable, sizeof bearable) != 0) {
    return fail(Error::last("cannot set a socket's timeout"));
  }
  Stream stream(connection, question.lent, silence);
  beast::error_code error;

  http::request<http::string_body> request;
  request.method_string({question.method.data(), question.method.size()});
  request.target({question.target.data(), question.target.size()});
  request.version(11);
  request.set(http::field::host, "usvc");
  request.set(http::field::connection, "close");
  if (!question.body.empty()) request.set(http::field::content_type, "application/json");
  request.body() = question.body;
  request.prepare_payload();
  http::write(stream, request, error);
  // A server that refuses a request may answer before it has taken all of it.
  const beast::error_code write_error = error;

  beast::flat_buffer buffer;
  buffer.reserve(read_at_once);  // else it is read in pieces of 512 bytes
  http::response_parser<http::string_body> parser;
  parser.body_limit(largest_reply);
  http::read(stream, buffer, parser, error);
  if (error == beast::errc::timed_out) {
    return fail(Error::from_errno(ETIMEDOUT, "the manager does not answer").as(ErrorKind::unreachable));
  }
  if (error) {
    return fail("the manager did not answer: " + (write_error ? write_error : error).message(), ErrorKind::unreachable);
  }
  return Reply{parser.get().result_int(), std::move(parser.get().body())};
}

std::string percent_encode(std::string_view word) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : word) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

}  // namespace usvc
