// The manager's part in an upgrade (keeper/upgrade.cpp has the keeper's): the old one asks for it and is ended, the new
// one, or the old one again, learns from the keeper how it went and notes that.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "manager/keeper_link.h"
#include "manager/wakeup.h"
#include "shapes/requests.h"

namespace usvc {

class Instance;

class Upgrade {
 public:
  explicit Upgrade(Instance* instance) : instance_(*instance) {}

  // At the start, before anything is touched: whether this manager is in charge from here on.
  Status meet(const std::vector<HeldItem>& items);
  // Once the journal can be written: notes what the keeper has told meanwhile.
  void catch_up();
  // From the keeper, as flags of its upgrade_item.
  void told(std::uint32_t flags);
  // The keeper is dead; false: its guard goes on, and this manager must not.
  bool outlive_keeper();

  // A child of the keeper's that holds what jobs' strays hold; 0: there is none.
  [[nodiscard]] pid_t guard() const { return under_way_ ? guard_ : 0; }

  asio::awaitable<Result<UpgradeReply>> run(UpgradeRequest request);

 private:
  asio::awaitable<Status> begin(UpgradeRequest request);
  void conclude(bool done, const std::string& why);

  Instance& instance_;
  bool under_way_ = false;   // asked for, or on trial, and not settled
  bool on_trial_ = false;    // since the start: this manager is the new one, or the old one again
  std::uint32_t flags_ = 0;  // what the keeper's item said at the start
  pid_t guard_ = 0;
  Fd token_;  // with whoever has asked
  std::list<Wakeup*> waiting_;
};

}  // namespace usvc
