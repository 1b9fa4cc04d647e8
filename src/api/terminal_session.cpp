#include "api/terminal_session.h"

#include <algorithm>
#include <boost/beast/websocket/error.hpp>
#include <chrono>
#include <utility>

#include "base/ready.h"
#include "manager/readable.h"

namespace usvc {

namespace websocket = boost::beast::websocket;

namespace {

// Who does not take what is sent within this is hung up on.
constexpr auto view_patience = std::chrono::seconds(30);
// Who sends what is no WebSocket's is hung up on after at most this.
constexpr auto broken_patience = std::chrono::seconds(10);
constexpr std::size_t longest_message = 4096;
// Programs that are told of a new window while they take a key in (less) forget the key.
constexpr auto resize_pause = std::chrono::milliseconds(100);
// Between two tries to write to a program that does not read.
constexpr auto shortest_pause = std::chrono::milliseconds(1);
constexpr auto longest_pause = std::chrono::milliseconds(100);

}  // namespace

TerminalSession::TerminalSession(Instance* instance, std::shared_ptr<Connection> connection, std::shared_ptr<Job> job)
    : instance_(*instance),
      connection_(std::move(connection)),
      job_(std::move(job)),
      changed_(instance->io()),
      socket_(connection_->stream) {
  watching_.add(job_);
  socket_.read_message_max(largest_terminal_frame);
  websocket::stream_base::timeout limits{};
  limits.handshake_timeout = view_patience;
  limits.idle_timeout = websocket::stream_base::none();  // who only looks has nothing to say
  limits.keep_alive_pings = false;
  socket_.set_option(limits);
}

TerminalSession::~TerminalSession() {
  viewer_leaves(instance_, *job_, viewer_);
}

asio::awaitable<void> TerminalSession::serve(Request request, bool read_only) {
  viewer_.may_type = !read_only;
  const auto [error] = co_await socket_.async_accept(request, as_result);
  if (error) co_return;
  changed_.notify();
  asio::co_spawn(instance_.io(), write(shared_from_this()), must_not_throw);
  co_await read();
  over_ = true;
  changed_.notify();
  viewer_leaves(instance_, *job_, viewer_);
  connection_->hang_up();  // a view that nobody takes ends by it too
}

asio::awaitable<void> TerminalSession::write(std::shared_ptr<TerminalSession> self) {
  asio::steady_timer limit(self->instance_.io());
  for (;;) {
    const bool notified = co_await self->changed_.wait_until(Wakeup::Clock::now() + broken_patience);
    if (self->over_) co_return;
    // After a frame that is none the reading waits for the other side to close, which it may never do.
    if (!self->socket_.is_open()) co_return self->connection_->hang_up();
    if (!notified) continue;
    TerminalView view = terminal_view(self->instance_, *self->job_);
    view.taken = self->taken_;
    view.asked = self->asked_;
    const std::string text = to_json_text(view, Absent::omit);
    limit.expires_after(view_patience);
    limit.async_wait([weak = std::weak_ptr(self)](boost::system::error_code error) {
      const auto late = weak.lock();
      if (late && !error) late->connection_->hang_up();
    });
    self->socket_.text(true);
    auto [error, size] = co_await self->socket_.async_write(asio::buffer(text), as_result);
    if (!error && view.removed) {
      const auto [closed] = co_await self->socket_.async_close(websocket::close_code::normal, as_result);
      error = closed ? closed : websocket::error::closed;
    }
    limit.cancel();
    if (error) co_return self->connection_->hang_up();
  }
}

asio::awaitable<void> TerminalSession::read() {
  boost::beast::flat_buffer buffer;
  for (;;) {
    const auto [error, size] = co_await socket_.async_read(buffer, as_result);
    if (error) co_return;
    const std::string_view bytes(static_cast<const char*>(buffer.cdata().data()), buffer.size());
    if (socket_.got_text()) {
      if (!obey(bytes)) co_return;
    } else {
      co_await type(bytes);
    }
    buffer.consume(buffer.size());
  }
}

bool TerminalSession::gone() const {
  return over_ || connection_->hung_up || ready_now(FdRef(connection_->stream.socket().native_handle()), 0);
}

asio::awaitable<void> TerminalSession::type(std::string_view bytes) {
  const auto whole = static_cast<std::int64_t>(bytes.size());
  const std::int64_t before = taken_;
  const auto run_id = job_->removed ? std::nullopt : instance_.record_of(*job_).run_id;
  asio::steady_timer pause(instance_.io());
  if (viewer_.may_type && viewer_types(instance_, *job_, viewer_)) {
    pause.expires_after(resize_pause);
    (void)co_await pause.async_wait(as_result);
  }
  auto next_pause = shortest_pause;
  while (viewer_.may_type && !bytes.empty() && !job_->removed) {
    // What was meant for a run that has ended is not for the next one.
    if (instance_.record_of(*job_).run_id != run_id) break;
    const auto written = type_into(*job_, bytes);
    if (!written) break;
    bytes.remove_prefix(*written);
    if (*written > 0) {
      // Part by part: of a long text that is taken slowly little is on its way at a kill.
      taken_ += static_cast<std::int64_t>(*written);
      changed_.notify();
      next_pause = shortest_pause;
      continue;
    }
    // Not every kernel tells when a terminal takes input again, so it is asked.
    pause.expires_after(next_pause);
    (void)co_await pause.async_wait(as_result);
    if (gone()) co_return;
    next_pause = std::min(next_pause * 2, longest_pause);
  }
  taken_ = before + whole;
  changed_.notify();
}

bool TerminalSession::obey(std::string_view text) {
  if (text.size() > longest_message) return false;
  const auto message = parse_as<ViewerMessage>(text);
  return message && obey(*message);
}

bool TerminalSession::obey(const ViewerMessage& message) {
  if (const auto size = window_from(message.rows, message.columns)) {
    if (viewer_.size)
      viewer_resizes(instance_, *job_, viewer_, *size);
    else
      viewer_comes(instance_, *job_, viewer_, *size, message.again.value_or(false));
  }
  if (message.redraw.value_or(false) && viewer_.may_type) {
    asio::co_spawn(instance_.io(), have_redrawn(&instance_, job_), must_not_throw);
  }
  if (message.ask) asked_ = *message.ask;
  changed_.notify();
  return true;
}

}  // namespace usvc
