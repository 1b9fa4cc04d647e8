#include "api/connections.h"

#include <utility>

namespace usvc {

namespace {

constexpr std::size_t most_connections = 512;
constexpr std::size_t most_held = std::size_t{64} << 20U;

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

void Connections::hold(Connection& connection, std::size_t bytes) {
  while (held_ + bytes > most_held && drop_holder(connection)) {
  }
  if (connection.held == 0) connection.held_since = Connection::Clock::now();
  connection.held += bytes;
  held_ += bytes;
}

bool Connections::drop_holder(const Connection& but) {
  std::shared_ptr<Connection> oldest;
  for (const auto& one : all_) {
    if (one->held == 0 || one.get() == &but) continue;
    if (!oldest || one->held_since < oldest->held_since) oldest = one;
  }
  if (!oldest) return false;
  oldest->hang_up();
  release(*oldest);
  return true;
}

void Connections::release(Connection& connection) {
  held_ -= std::exchange(connection.held, 0);
}

}  // namespace usvc
