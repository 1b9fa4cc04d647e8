// Names that a request has been given and has not made jobs of yet: for as long as it is at it, nobody else gets them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "manager/instance.h"

namespace usvc {

class ReservedNames {
 public:
  ReservedNames(Instance* instance, std::vector<std::string> names) : instance_(*instance), names_(std::move(names)) {
    instance_.reserved_names.insert(names_.begin(), names_.end());
  }
  ~ReservedNames() {
    for (const auto& name : names_) instance_.reserved_names.erase(name);
  }
  ReservedNames(const ReservedNames&) = delete;
  ReservedNames& operator=(const ReservedNames&) = delete;

 private:
  Instance& instance_;
  std::vector<std::string> names_;
};

}  // namespace usvc
