#include "api/connections.h"

#include <algorithm>
#include <utility>

namespace usvc {

namespace {

constexpr std::size_t most_connections = 512;
constexpr std::size_t most_held = std::size_t{64} << 20U;
// How long somebody may hold a part of the allowance while others wait for it.
constexpr auto grace = std::chrono::seconds(2);

}  // namespace

void Connection::hang_up() {
  hung_up = true;
  stream.close();
}

bool Connections::make_room() {
  return all_.size() < most_connections || drop_idle();
}

void Connections::add(const std::shared_ptr<Connection>& connection) {
  all_.push_back(connection);
}

void Connections::remove(const std::shared_ptr<Connection>& connection) {
  release(*connection);
  std::erase(all_, connection);
}

bool Connections::drop_idle() {
  std::shared_ptr<Connection> oldest;
  for (const auto& connection : all_) {
    if (!connection->idle || connection->hung_up) continue;
    if (!oldest || connection->idle_since < oldest->idle_since) oldest = connection;
  }
  if (!oldest) return false;
  oldest->hang_up();
  return true;
}

asio::awaitable<bool> Connections::take(std::shared_ptr<Connection> connection, std::size_t bytes) {
  Wakeup turn(io_);
  const auto place = waiting_.insert(waiting_.end(), &turn);
  while (!connection->hung_up && held_ > 0 && held_ + bytes > most_held) {
    const auto next = hang_up_on_laggards();
    (void)co_await turn.wait_until(next);
  }
  waiting_.erase(place);
  if (!connection->hung_up) hold(*connection, bytes);
  co_return !connection->hung_up;
}

// The moment to look again.
Connection::Clock::time_point Connections::hang_up_on_laggards() {
  auto next = Wakeup::never;
  const auto now = Connection::Clock::now();
  for (const auto& connection : all_) {
    if (connection->held == 0 || connection->hung_up) continue;
    const auto end = connection->held_since + grace;
    if (end <= now)
      connection->hang_up();
    else
      next = std::min(next, end);
  }
  return next;
}

void Connections::hold(Connection& connection, std::size_t bytes) {
  if (connection.held == 0) connection.held_since = Connection::Clock::now();
  connection.held += bytes;
  held_ += bytes;
}

void Connections::release(Connection& connection) {
  held_ -= std::exchange(connection.held, 0);
  for (Wakeup* turn : waiting_) turn->notify();
}

}  // namespace usvc
