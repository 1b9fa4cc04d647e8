// While no manager can run: the jobs' output goes to their logs all the same, so that no job stalls on a full pipe.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "keeper/protocol.h"

namespace usvc::keeper {

// What both the keeper's loop and its capture need of an item.
struct Held {
  std::vector<RoledFd> fds;

  [[nodiscard]] int find(Role role) const {
    for (const auto& held : fds) {
      if (held.role == role) return held.fd.get();
    }
    return -1;
  }
  void put(Role role, Fd fd);
};

class Standby {
 public:
  // Moves what waits, of each item that has output and a log, a bounded amount; true when there may be more at once.
  // `items` maps ids to objects derived from Held.
  template <class Items>
  bool move_all(Items& items) {
    bool more = false;
    auto carry = items.find(carry_item);
    for (auto& [id, item] : items) more |= move_one(id, item, carry == items.end() ? nullptr : &carry->second);
    return more;
  }

 private:
  static bool move_one(const std::string& id, Held& item, Held* carry);
};

}  // namespace usvc::keeper
