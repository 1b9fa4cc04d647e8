// What keeper and manager say to each other over a SOCK_SEQPACKET socket pair: fixed-size messages, descriptors beside.
//
// The keeper is dumb on purpose. It holds *items*: a name and a few descriptors, each with a role. An item with a child
// is a run of a job (or of a job's hook). Items outlive the manager; a new one is sent them all and goes on.
//
//   manager -> keeper                         keeper -> manager
//   spawn  id + card, status, stdio, held     spawned (pid; pidfd) | not_spawned (step, errno), with the spawn's token
//   hold   id + held                          item   once per item after the manager's start, then items_end,
//                                             whose id is the keeper's version
//                                             not_held id, when descriptors of it got lost for want of room here;
//                                             held id, where the other bears a token
//   drop   id                                 exited id, at once when a child has ended, and with its item
//   up                                        (nothing: the manager works, forget its crashes)
//   quit                                      (nothing: the keeper ends, leaving what lives alone)
//   upgrade + new programs, token             (nothing: it ends the manager; keeper/upgrade.cpp has the rest)
//
// A child is born waiting. It sets itself up, then blocks on its status socket until the manager, which has journaled
// its identity meanwhile, sends one byte; end-of-file means that the manager is gone and the child ends without having
// run the program. So whoever is killed at whatever instruction, no job runs that is not in the journal.
// An ended child stays a zombie until its item is dropped: its pid is nobody else's until its group has been swept and
// its exit is on disk.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/message.h"

namespace usvc::keeper {

// Raised when a message's meaning changes; a keeper and a manager of different versions refuse each other's messages.
inline constexpr std::uint32_t protocol_version = 2;
// The same, unless a test's copy of the program pretends to be of another version.
std::uint32_t spoken_version();
inline constexpr std::uint32_t magic = 0x75737663;  // "usvc"

enum class Kind : std::uint32_t {
  spawn = 1,
  hold,
  drop,
  up,
  quit,
  upgrade,
  item = 64,
  items_end,
  spawned,
  not_spawned,
  exited,
  held,
  not_held,
};

enum class Role : std::uint8_t {
  none = 0,
  // held with an item
  pidfd,
  output,        // terminal master, or the read end of stdout's pipe
  error_output,  // read end of stderr's pipe
  input,         // write end of stdin's pipe
  log,
  error_log,
  carry_read,
  carry_write,
  carry_owner,
  listener,
  lock,
  spill,  // journal lines that a full disk does not take
  token,
  // handed through to a child
  card = 32,
  status,
  standard_input,
  standard_output,
  standard_error,
  cgroup,
  new_keeper,
  new_manager,
};

enum Flag : std::uint32_t {
  flag_child = 1,     // the run's process is the keeper's child: the keeper tells its exit
  flag_exited = 2,    // code and status are set
  flag_terminal = 4,  // output is a terminal's master
  // of upgrade_item
  flag_trial = 8,         // new programs run; the old ones wait
  flag_upgraded = 16,     // they have proved themselves
  flag_rolled_back = 32,  // they have not, and the old ones run again
};

// How the last upgrade stands, until the manager has noted how it ended and drops it. While either way is open it has
// a token (an eventfd): whoever takes it is in charge should the keeper die. One is the keeper's guard, the others are
// the manager that asked for the upgrade and, once it has been given every item, the new one. Its pid is the guard's.
inline constexpr char upgrade_item[] = "usvc:upgrade";
bool take_token(FdRef token);

// The item that holds the terminals' shared carry pipe and its owner word (base/transfer.h).
inline constexpr char carry_item[] = "usvc:carry";
// By this name an adopting manager introduces itself.
inline constexpr char manager_item[] = "usvc:manager";

struct Message {
  std::uint32_t tag = magic;
  std::uint32_t version = spoken_version();
  Kind kind = Kind::up;
  std::uint32_t flags = 0;
  std::uint64_t token = 0;
  std::array<char, 128> id{};
  std::int32_t pid = 0;
  std::int32_t code = 0;    // exited: CLD_*; not_spawned: the step
  std::int32_t status = 0;  // exited: exit code or signal; not_spawned: errno
  std::uint32_t fd_count = 0;
  std::int64_t cpu_us = 0;
  std::int64_t max_rss_bytes = 0;
  std::int64_t ended_at_us = 0;  // exited: microseconds since 1970
  std::array<Role, max_message_fds> roles{};
};
static_assert(std::is_trivially_copyable_v<Message>);

inline void set_id(Message& message, std::string_view id) {
  message.id.fill('\0');
  std::memcpy(message.id.data(), id.data(), std::min(id.size(), message.id.size() - 1));
}
inline std::string id_of(const Message& message) {
  return {message.id.data(), ::strnlen(message.id.data(), message.id.size())};
}
inline std::span<const std::byte> bytes_of(const Message& message) {
  return std::as_bytes(std::span(&message, 1));
}

struct RoledFd {
  Role role;
  Fd fd;
};
// Takes the descriptor of that role out; none when there is none.
Fd take(std::vector<RoledFd>& fds, Role role);

// A received message with its descriptors; what does not keep to the protocol is an error and its descriptors close.
struct Received {
  Message message;
  std::vector<RoledFd> fds;
  bool fds_lost = false;  // the receiver had no room for all of them
};
Result<Received> check(std::span<const std::byte> bytes, std::vector<Fd> fds);

}  // namespace usvc::keeper
