// The manager's end of its talk with the keeper (keeper/protocol.h), and of the keeper's life: when it dies, another
// one is started and given everything that is held.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "keeper/protocol.h"
#include "manager/asio.h"
#include "manager/wakeup.h"

namespace usvc {

struct HeldItem {
  std::string id;
  pid_t pid = 0;
  std::uint32_t flags = 0;
  std::vector<keeper::RoledFd> fds;
  std::optional<keeper::Message> exit;

  // Takes a descriptor out; an empty one when there is none of that role.
  Fd take(keeper::Role role);
};

struct Spawned {
  pid_t pid = 0;
  Fd pidfd;
};

// A descriptor that goes along with a message; it stays the caller's, the message has a duplicate.
struct Lent {
  keeper::Role role;
  FdRef fd;
};

class KeeperLink {
 public:
  struct Events {
    std::function<void(const keeper::Message& exit)> exited;
    // The keeper is dead. Called once for each; the owner answers with restart() and hold().
    std::function<void()> lost;
    // The keeper had no room for all descriptors of this item.
    std::function<void(const std::string& id)> not_held;
    // It has not answered for a second, being stopped mostly; or it does again.
    std::function<void(bool silent)> silent;
    // How an upgrade went, as flags of the keeper's upgrade_item.
    std::function<void(std::uint32_t flags)> upgraded;
  };

  KeeperLink(asio::io_context& io, Fd socket, Fd keeper_program, std::vector<std::string> keeper_args);

  // Blocking, at start: everything the keeper holds.
  Result<std::vector<HeldItem>> meet();
  // Begins to listen.
  void run(Events events);

  // Fails with code() EPIPE when the keeper died before it answered: nothing of this run will ever execute then.
  asio::awaitable<Result<Spawned>> spawn(std::string id, std::vector<Lent> fds, bool terminal);
  // pid: of a run whose process is not this keeper's child. Fails when it could not be sent; where the keeper has no
  // room for it, `not_held` tells.
  Status hold(const std::string& id, const std::vector<Lent>& fds, pid_t pid = 0, bool terminal = false);
  // The same, and the keeper has all of it once this has returned without an error. One that does not answer is not
  // waited for: what the kernel has for it then it takes before it hears of this manager's end. What it has no room for
  // once it answers, `not_held` tells.
  asio::awaitable<Status> hold_surely(std::string id, std::vector<Lent> fds, pid_t pid, bool terminal);
  void drop(const std::string& id);
  void up();
  void quit();
  // Everything said so far has been handed to the kernel.
  [[nodiscard]] bool idle() const { return outgoing_.empty(); }

  // The keeper ends this manager, becomes the new keeper and starts the new manager; or says `upgraded` that it can't.
  Status upgrade(FdRef new_keeper, FdRef new_manager, FdRef token);

  // Starts another keeper, of the same binary, and introduces this manager to it.
  Status restart();
  // Of the one there is, or of the one that was lost last.
  [[nodiscard]] pid_t keeper_pid() const { return keeper_pid_; }
  [[nodiscard]] bool has_keeper() const { return connected_; }
  [[nodiscard]] bool silent() const { return silent_; }
  [[nodiscard]] const std::string& keeper_version() const { return keeper_version_; }

 private:
  struct Outgoing {
    keeper::Message message;
    std::vector<Fd> fds;
  };
  struct Pending {
    explicit Pending(asio::io_context& io) : wakeup(io) {}
    Wakeup wakeup;
    std::optional<Result<Spawned>> answer;  // to hold_surely() an empty one
    std::string given_up;                   // the item whose holding nobody waits for any more
  };

  Status send(keeper::Message message, const std::vector<Lent>& fds);
  Result<std::shared_ptr<Pending>> ask(keeper::Message message, const std::vector<Lent>& fds);
  void set_silent(bool silent);
  bool send_at_once(const keeper::Message& message, const std::vector<Lent>& fds);
  void flush();
  asio::awaitable<void> listen(std::uint64_t generation);
  asio::awaitable<void> wait_for_room(std::uint64_t generation);
  asio::awaitable<void> wait_a_moment(std::uint64_t generation);
  bool take_messages();
  void handle(keeper::Received received);
  void disconnect();
  void lose();

  asio::io_context& io_;
  asio::posix::stream_descriptor socket_;
  std::vector<std::string> keeper_args_;
  Events events_;
  std::uint64_t generation_ = 0;  // of keepers; a coroutine of an older one ends
  std::uint64_t next_token_ = 1;
  std::map<std::uint64_t, std::shared_ptr<Pending>> pending_;
  std::deque<Outgoing> outgoing_;
  bool waiting_for_room_ = false;
  bool connected_ = true;
  bool silent_ = false;
  pid_t keeper_pid_ = 0;
  std::string keeper_version_;
  // What keeper and manager were started from: whatever lies on the path by now, a version starts its own other half.
  Fd keeper_program_;
  Fd manager_program_;
  Fd keeper_child_;  // pidfd of a keeper that we started, to reap it
};

}  // namespace usvc
