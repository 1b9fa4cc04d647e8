#include "keeper/standby.h"

#include <unistd.h>

#include "base/transfer.h"

namespace usvc::keeper {

namespace {

// Of one job in one round, so that a flooding one does not starve the rest.
constexpr std::size_t round_limit = std::size_t{1} << 20U;

bool move_pipe(const Held& item, Role source, Role target) {
  const int pipe = item.find(source);
  const int log = item.find(target);
  if (pipe < 0 || log < 0) return false;
  return move_pipe_to_log(FdRef(pipe), FdRef(log), round_limit).outcome == Moved::some;
}

// The shared carry pipe, once it is this run's alone: its bytes can't go to the log now, and others must not wait.
void give_carry_away(Held& carry, Held& item) {
  auto fresh = make_carry();
  if (!fresh) return;  // out of descriptors: the terminals wait until the next round
  Fd read(std::move(fresh->read));
  Fd write(std::move(fresh->write));
  for (auto& held : carry.fds) {
    if (held.role == Role::carry_read) held.fd.swap(read);
    if (held.role == Role::carry_write) held.fd.swap(write);
  }
  item.put(Role::carry_read, std::move(read));
  item.put(Role::carry_write, std::move(write));
}

bool move_terminal(const std::string& id, Held& item, Held* shared) {
  const FdRef master(item.find(Role::output));
  const FdRef log(item.find(Role::log));
  if (item.find(Role::carry_read) >= 0) {
    return move_terminal_to_log(master, FdRef(item.find(Role::carry_read)), FdRef(item.find(Role::carry_write)), log,
                                round_limit)
               .outcome == Moved::some;
  }
  if (shared == nullptr) return false;
  auto owner = CarryOwner::map(FdRef(shared->find(Role::carry_owner)));
  if (!owner) return false;
  const FdRef carry_read(shared->find(Role::carry_read));
  if (pipe_fill(carry_read) > 0 && owner->get() != id) return false;  // another run's bytes: its turn empties it
  owner->set(id);
  const Transfer moved =
      move_terminal_to_log(master, carry_read, FdRef(shared->find(Role::carry_write)), log, round_limit);
  if (moved.outcome == Moved::stuck && pipe_fill(carry_read) > 0) give_carry_away(*shared, item);
  return moved.outcome == Moved::some;
}

}  // namespace

void Held::put(Role role, Fd fd) {
  for (auto& held : fds) {
    if (held.role == role) {
      held.fd = std::move(fd);
      return;
    }
  }
  fds.push_back({role, std::move(fd)});
}

bool Standby::move_one(const std::string& id, Held& item, Held* carry) {
  const int output = item.find(Role::output);
  if (output < 0 || item.find(Role::log) < 0) return false;
  const bool terminal = ::isatty(output) == 1;
  bool more = terminal ? move_terminal(id, item, carry) : move_pipe(item, Role::output, Role::log);
  more |= move_pipe(item, Role::error_output, Role::error_log);
  return more;
}

}  // namespace usvc::keeper
