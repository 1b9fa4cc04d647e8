// The keeper's state as it hands it to the program that replaces it: same process, so its children stay its children
// and its descriptors keep their numbers; what must be told is which is which.
//
// Written as lines of KEY=VALUE words that another version of usvc reads, an older one too: what it does not know it
// passes over, so things are added here and never change their meaning. Of exits only the moment (microseconds since
// 1970) is in it: the rest a zombie tells again.
//
//   state version=1
//   programs manager=5 old-keeper=6 old-manager=7
//   guard pidfd=8
//   item id=web-1.7.0123abcd pid=4242 flags=child,terminal ended=1764180000000000 fds=pidfd:9,output:10,log:11
//   end items=1
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "keeper/protocol.h"

namespace usvc::keeper {

struct HandedFd {
  Role role = Role::none;
  int fd = -1;
  bool operator==(const HandedFd&) const = default;
};

struct HandedItem {
  std::string id;
  pid_t pid = 0;
  std::uint32_t flags = 0;
  std::int64_t ended_at_us = 0;  // 0: it lives, or whoever wrote this did not say
  std::vector<HandedFd> fds;
  bool operator==(const HandedItem&) const = default;
};

struct Handover {
  int manager = -1;     // the program managers are started from
  int old_keeper = -1;  // the programs to go back to, if there are any
  int old_manager = -1;
  int guard = -1;  // its pidfd
  std::vector<HandedItem> items;
  bool operator==(const Handover&) const = default;
};

std::string to_text(const Handover& state);
// Only a whole state, in which no descriptor stands twice, is one.
Result<Handover> from_text(std::string_view text);

// Every descriptor that is named in it.
std::vector<int> descriptors_of(const Handover& state);

Result<Fd> write_state(const Handover& state);
// Besides, every descriptor must be open.
Result<Handover> read_state(FdRef file);

}  // namespace usvc::keeper
