#include "manager/keeper_link.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "base/files.h"
#include "base/message.h"
#include "base/program.h"
#include "keeper/launch.h"
#include "manager/readable.h"

namespace usvc {

using keeper::Kind;
using keeper::Message;
using keeper::Role;

namespace {

using namespace std::chrono_literals;
// A keeper does nothing that takes long.
constexpr auto answer_patience = 1s;
constexpr auto room_pause = 100ms;

Result<std::optional<keeper::Received>> receive_one(FdRef socket) {
  alignas(Message) std::array<std::byte, sizeof(Message)> buffer{};
  auto received = receive_message(socket, buffer);
  if (!received) return pass(received);
  if (received->size == 0) return std::optional<keeper::Received>();
  auto checked = keeper::check(std::span(buffer).first(received->size), std::move(received->fds));
  if (!checked) return pass(checked);
  return std::optional<keeper::Received>(std::move(*checked));
}

Message hold_message(const std::string& id, pid_t pid, bool terminal) {
  Message message;
  message.kind = Kind::hold;
  message.pid = pid;
  message.flags = terminal ? keeper::flag_terminal : 0U;
  keeper::set_id(message, id);
  return message;
}

pid_t peer_pid(FdRef socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

// True: it has to wait until there is room. What was for a keeper that is dying is for nobody: listen() sees its end.
// Anything else is our own fault, and to go on would leave the keeper without what it is believed to hold.
bool has_to_wait(const Error& error) {
  if (error.code() == EAGAIN || is_passing(error)) return true;
  const auto ends = {EPIPE, ECONNRESET, ENOTCONN, ECONNREFUSED};
  if (std::find(ends.begin(), ends.end(), error.code()) != ends.end()) return false;
  throw std::system_error(error.code(), std::system_category(), "cannot send to the keeper");
}

Fd own_program() {
  const auto program = open_file("/proc/self/exe", O_PATH);
  return program ? out_of_the_way(*program) : Fd();
}

}  // namespace

Fd HeldItem::take(Role role) {
  return keeper::take(fds, role);
}

KeeperLink::KeeperLink(asio::io_context& io, Fd socket, Fd keeper_program, std::vector<std::string> keeper_args)
    : io_(io), socket_(io), keeper_args_(std::move(keeper_args)) {
  keeper_pid_ = peer_pid(socket);
  keeper_program_ = out_of_the_way(keeper_program);
  manager_program_ = own_program();
  socket_.assign(socket.release());
}

Result<std::vector<HeldItem>> KeeperLink::meet() {
  std::vector<HeldItem> items;
  const FdRef socket(socket_.native_handle());
  for (;;) {
    auto received = receive_one(socket);
    if (!received && received.error().code() == EAGAIN) {
      pollfd readable{.fd = socket.get(), .events = POLLIN, .revents = 0};
      (void)::poll(&readable, 1, -1);
      continue;
    }
    if (!received) return pass(received, "cannot talk to the keeper");
    if (!*received) return fail("the keeper is gone");
    const Message& message = (*received)->message;
    if ((*received)->fds_lost) {
      return fail(
          Error::from_errno(EMFILE, "cannot take over what the keeper holds").hint("raise the hard limit, ulimit -Hn"));
    }
    if (message.kind == Kind::items_end) {
      keeper_version_ = keeper::id_of(message);
      return items;
    }
    if (message.kind == Kind::item) {
      items.push_back({.id = keeper::id_of(message),
                       .pid = message.pid,
                       .flags = message.flags,
                       .fds = std::move((*received)->fds),
                       .exit = {}});
    } else if (message.kind == Kind::exited) {
      for (auto& item : items) {
        if (item.id == keeper::id_of(message)) item.exit = message;
      }
    }
  }
}

void KeeperLink::run(Events events) {
  events_ = std::move(events);
  socket_.non_blocking(true);
  asio::co_spawn(io_, listen(generation_), must_not_throw);
}

asio::awaitable<void> KeeperLink::listen(std::uint64_t generation) {
  while (generation == generation_) {
    const auto [error] = co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read, as_result);
    if (generation != generation_ || error == asio::error::operation_aborted) co_return;
    if (!take_messages()) {
      lose();
      co_return;
    }
  }
}

// False: the keeper is gone.
bool KeeperLink::take_messages() {
  const std::uint64_t generation = generation_;
  while (generation == generation_) {
    auto received = receive_one(FdRef(socket_.native_handle()));
    if (received && !*received) return false;
    if (received) {
      handle(std::move(**received));
    } else if (received.error().code() == EAGAIN || is_passing(received.error())) {
      return true;  // listen() comes again
    }
    // A keeper that died with something of ours unread says ECONNRESET once, before what it had sent: read on to the
    // end. Anything else is one message that makes no sense: passed over.
  }
  return true;
}

void KeeperLink::set_silent(bool silent) {
  if (std::exchange(silent_, silent) != silent) events_.silent(silent);
}

void KeeperLink::handle(keeper::Received received) {
  const Message& message = received.message;
  set_silent(false);
  if (message.kind == Kind::exited) return events_.exited(message);
  if (message.kind == Kind::item && keeper::id_of(message) == keeper::upgrade_item) {
    return events_.upgraded(message.flags);
  }
  if (message.kind == Kind::not_held && message.token == 0) return events_.not_held(keeper::id_of(message));
  const bool answers = message.kind == Kind::spawned || message.kind == Kind::not_spawned ||
                       message.kind == Kind::held || message.kind == Kind::not_held;
  if (!answers) return;
  const auto found = pending_.find(message.token);
  if (found == pending_.end()) return;
  const auto pending = std::move(found->second);
  pending_.erase(found);
  if (message.kind == Kind::not_held && !pending->given_up.empty()) return events_.not_held(pending->given_up);
  if (message.kind == Kind::spawned && !received.fds.empty()) {
    pending->answer = Spawned{.pid = message.pid, .pidfd = std::move(received.fds.front().fd)};
  } else if (message.kind == Kind::spawned) {
    pending->answer = fail(Error::from_errno(EMFILE, "cannot take a new process's descriptor"));
  } else if (message.kind == Kind::held) {
    pending->answer = Spawned{};
  } else if (message.kind == Kind::not_held) {
    pending->answer = fail(Error::from_errno(EMFILE, "the keeper cannot take a descriptor"));
  } else {
    pending->answer =
        fail(Error::from_errno(message.status, std::string("cannot ") + keeper::step_text(keeper::Step{message.code})));
  }
  pending->wakeup.notify();
}

void KeeperLink::disconnect() {
  ++generation_;
  connected_ = false;
  waiting_for_room_ = false;
  silent_ = false;
  outgoing_.clear();
  boost::system::error_code ignored;
  socket_.close(ignored);
  if (keeper_child_) {
    siginfo_t info{};
    // Reaps a keeper that was our child; one that lives on without its socket is of no use and is ended.
    (void)::syscall(SYS_pidfd_send_signal, keeper_child_.get(), SIGKILL, nullptr, 0);
    (void)::waitid(P_PIDFD, static_cast<id_t>(keeper_child_.get()), &info, WEXITED);
    keeper_child_.reset();
  }
}

void KeeperLink::lose() {
  disconnect();
  auto pending = std::move(pending_);
  pending_.clear();
  for (auto& [token, waiting] : pending) {
    waiting->answer = fail(Error::from_errno(EPIPE, "the keeper died"));
    waiting->wakeup.notify();
  }
  events_.lost();
}

Status KeeperLink::restart() {
  // First all that can fail: half a keeper would be none.
  const Fd own(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!own) return fail(Error::last("cannot start another keeper: cannot open our own pidfd"));
  auto pair = make_socket_pair(SOCK_SEQPACKET);
  if (!pair) return pass(pair);
  constexpr int adopted_fd = 3;
  constexpr int program_fd = 4;
  std::vector<std::string> args = {program_beside("usvc-keeper"), "--adopt-fd", std::to_string(adopted_fd),
                                   "--manager-program-fd", std::to_string(program_fd)};
  args.insert(args.end(), keeper_args_.begin(), keeper_args_.end());
  SpawnOptions options;
  if (keeper_program_) options.program = open_program_path(keeper_program_);
  const Fd theirs = try_duplicate(pair->theirs, program_fd + 1);
  std::vector<InheritedFd> fds = {{theirs, adopted_fd}};
  if (manager_program_) fds.push_back({manager_program_, program_fd});
  auto child = spawn_program(args, fds, options);
  if (!child) return pass(child, "cannot start another keeper");
  keeper_pid_ = child->pid;
  keeper_child_ = std::move(child->pidfd);
  socket_.assign(pair->ours.release());
  socket_.non_blocking(true);
  connected_ = true;
  asio::co_spawn(io_, listen(generation_), must_not_throw);
  auto introduced = hold(keeper::manager_item, {{Role::pidfd, own}}, ::getpid());
  if (!introduced) disconnect();
  return introduced;
}

asio::awaitable<Result<Spawned>> KeeperLink::spawn(std::string id, std::vector<Lent> fds, bool terminal) {
  Message message;
  message.kind = Kind::spawn;
  message.flags = terminal ? keeper::flag_terminal : 0U;
  keeper::set_id(message, id);
  const auto asked = ask(message, fds);
  if (!asked) co_return fail(asked.error());
  while (!(*asked)->answer) {
    const auto patience = Wakeup::Clock::now() + answer_patience;
    if (!co_await (*asked)->wakeup.wait_until(patience) && !(*asked)->answer) set_silent(true);
  }
  co_return std::move(*(*asked)->answer);
}

asio::awaitable<Status> KeeperLink::hold_surely(std::string id, std::vector<Lent> fds, pid_t pid, bool terminal) {
  const auto asked = ask(hold_message(id, pid, terminal), fds);
  if (!asked) co_return fail(asked.error());
  const auto& pending = *asked;
  auto patience = Wakeup::Clock::now() + answer_patience;
  while (!pending->answer) {
    if (co_await pending->wakeup.wait_until(patience) || pending->answer) continue;
    set_silent(true);
    if (idle()) {
      pending->given_up = id;
      co_return Status();
    }
    patience = Wakeup::Clock::now() + room_pause;
  }
  if (!*pending->answer) co_return fail(pending->answer->error());
  co_return Status();
}

// A message that the keeper answers.
Result<std::shared_ptr<KeeperLink::Pending>> KeeperLink::ask(Message message, const std::vector<Lent>& fds) {
  if (!connected_) return fail(Error::from_errno(EPIPE, "the keeper died"));
  message.token = next_token_++;
  if (auto sent = send(message, fds); !sent) return pass(sent);
  return pending_[message.token] = std::make_shared<Pending>(io_);
}

Status KeeperLink::hold(const std::string& id, const std::vector<Lent>& fds, pid_t pid, bool terminal) {
  return send(hold_message(id, pid, terminal), fds);
}

void KeeperLink::drop(const std::string& id) {
  Message message;
  message.kind = Kind::drop;
  keeper::set_id(message, id);
  (void)send(message, {});  // without descriptors it can't fail
}

void KeeperLink::up() {
  Message message;
  message.kind = Kind::up;
  (void)send(message, {});  // without descriptors it can't fail
}

Status KeeperLink::upgrade(FdRef new_keeper, FdRef new_manager, FdRef token) {
  if (!connected_) return fail(Error::from_errno(EPIPE, "the keeper died").hint("ask again"));
  Message message;
  message.kind = Kind::upgrade;
  return send(message, {{Role::new_keeper, new_keeper}, {Role::new_manager, new_manager}, {Role::token, token}});
}

void KeeperLink::quit() {
  Message message;
  message.kind = Kind::quit;
  (void)send(message, {});  // without descriptors it can't fail
}

Status KeeperLink::send(Message message, const std::vector<Lent>& fds) {
  if (!connected_) return {};  // the next keeper is told everything anew
  for (std::size_t i = 0; i < fds.size(); ++i) message.roles.at(i) = fds[i].role;
  message.fd_count = static_cast<std::uint32_t>(fds.size());
  if (outgoing_.empty() && send_at_once(message, fds)) return {};
  // What has to wait needs descriptors of its own.
  Outgoing next{.message = message, .fds = {}};
  for (const auto& lent : fds) {
    next.fds.push_back(try_duplicate(lent.fd));
    if (!next.fds.back()) return fail(Error::last("cannot hand a descriptor to the keeper"));
  }
  outgoing_.push_back(std::move(next));
  if (!waiting_for_room_) flush();
  return {};
}

// False: it has to wait.
bool KeeperLink::send_at_once(const Message& message, const std::vector<Lent>& fds) {
  std::vector<int> numbers;
  numbers.reserve(fds.size());
  for (const auto& lent : fds) numbers.push_back(lent.fd.get());
  const auto sent = send_message(FdRef(socket_.native_handle()), keeper::bytes_of(message), numbers);
  return sent || !has_to_wait(sent.error());
}

void KeeperLink::flush() {
  while (!outgoing_.empty()) {
    const Outgoing& next = outgoing_.front();
    std::vector<int> fds;
    fds.reserve(next.fds.size());
    for (const auto& fd : next.fds) fds.push_back(fd.get());
    const auto sent = send_message(FdRef(socket_.native_handle()), keeper::bytes_of(next.message), fds);
    if (sent) {
      outgoing_.pop_front();
    } else if (!has_to_wait(sent.error())) {
      outgoing_.clear();
    } else {
      waiting_for_room_ = true;
      const bool full = sent.error().code() == EAGAIN;
      asio::co_spawn(io_, full ? wait_for_room(generation_) : wait_a_moment(generation_), must_not_throw);
      return;
    }
  }
}

asio::awaitable<void> KeeperLink::wait_a_moment(std::uint64_t generation) {
  asio::steady_timer pause(io_, std::chrono::milliseconds(10));  // nothing tells when the kernel has room again
  (void)co_await pause.async_wait(as_result);
  if (generation != generation_) co_return;
  waiting_for_room_ = false;
  flush();
}

asio::awaitable<void> KeeperLink::wait_for_room(std::uint64_t generation) {
  (void)co_await socket_.async_wait(asio::posix::stream_descriptor::wait_write, as_result);
  if (generation != generation_) co_return;
  waiting_for_room_ = false;
  flush();
}

}  // namespace usvc
