// The keeper: parent of every job, holder of every descriptor that must not close. Decides nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "keeper/handover.h"
#include "keeper/protocol.h"
#include "keeper/standby.h"

namespace usvc::keeper {

struct Options {
  Fd own_program;
  // Every manager is started from it, whatever lies on the path by then: the two of one version belong together.
  Fd manager_program;
  std::vector<std::string> manager_args;  // handed on as they are
  Fd ready;                               // the first manager says on it that it is ready
  Fd adopted;                             // a socket to a living manager, whose keeper was killed
  std::optional<Handover> handed;         // what the program that ran in this process before has left
  bool rolled_back = false;               // it was the newer one
};

// What an epoll event is about; from tag_child on, a child's pid is added.
enum Tag : std::uint64_t { tag_signals, tag_timer, tag_trial, tag_manager, tag_manager_pidfd, tag_child };

class Keeper {
 public:
  static Result<std::unique_ptr<Keeper>> create(Options options);
  // Until the manager says quit, or the first manager refuses to start with nothing held. Returns the exit status.
  int run();

 private:
  // What a run's end looked like; read without reaping (waitid with WNOWAIT).
  struct Exit {
    int code = 0;  // CLD_*; 0: somebody else has reaped it, how it ended is not known
    int status = 0;
    std::int64_t cpu_us = 0;
    std::int64_t max_rss_bytes = 0;
    std::int64_t at_us = 0;  // since 1970
  };
  struct Item : Held {
    pid_t pid = 0;
    std::uint32_t flags = 0;
    std::optional<Exit> exit;
  };

  explicit Keeper(Options options) : options_(std::move(options)) {}
  Status prepare();
  Status watch(FdRef fd, std::uint64_t tag, std::uint32_t events);
  void unwatch(FdRef fd);

  void start_manager();
  [[noreturn]] void become_manager(int socket);
  void meet_manager();
  void manager_gone();
  void end_manager() const;
  bool reap_manager();

  bool receive();
  void handle(Received received);
  void spawn(Received received);
  void hold(Received received);
  void drop(const std::string& id);

  // at_us: when, where that is known (microseconds since 1970); else it is now.
  void child_ended(pid_t pid, std::int64_t at_us = 0);
  void reap_strays();

  // Becoming another version of itself: upgrade.cpp.
  void upgrade(Received received);
  void change_over();
  void roll_back();
  void go_back_here();
  void refuse_upgrade(const std::string& why);
  void begin_attempt();
  void give_trial_up();
  void conclude_upgrade();
  [[nodiscard]] bool on_trial() const { return old_keeper_ && !new_keeper_; }
  Status start_guard();
  [[noreturn]] void keep_guard(FdRef keeper);
  void end_guard();
  [[nodiscard]] Handover state() const;
  Error become(FdRef program, bool going_back);
  void restore(Handover state);

  void say(const Message& message);
  void say_item(const std::string& id, const Item& item);
  void say_exit(const std::string& id, const Item& item);
  void flush();

  // A message that waits for room in the socket; descriptors are looked up in the item when it is sent.
  struct Outgoing {
    Message message;
    bool with_fds = false;
  };

  Options options_;
  Fd poll_;
  Fd signals_;
  Fd timer_;
  Fd manager_;  // our end of the socket
  Fd manager_pidfd_;
  pid_t manager_pid_ = 0;
  bool manager_is_child_ = false;
  bool manager_up_ = false;
  bool ever_up_ = false;
  bool quit_ = false;
  bool wants_room_ = false;  // a message waits for the socket to take it
  bool stalled_ = false;     // or for the kernel to have room for it, which nothing tells
  int failures_ = 0;         // managers in a row that never came up
  int exit_status_ = 0;
  Fd new_keeper_;  // to become, as soon as the manager has ended
  Fd old_keeper_;  // to go back to
  Fd old_manager_;
  Fd guard_;  // its pidfd
  Fd trial_timer_;
  bool trial_over_ = false;
  std::deque<Outgoing> outgoing_;
  std::unordered_map<std::string, Item> items_;
  std::unordered_map<pid_t, std::string> children_;
  Standby standby_;
};

}  // namespace usvc::keeper
