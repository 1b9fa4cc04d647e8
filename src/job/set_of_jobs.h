// A set of jobs as text, as `usvc save` writes it and `usvc load` reads it: git-config format. Pure.
#pragma once

#include <string>
#include <vector>

#include "job/conf.h"

namespace usvc {

// Jobs of one group that have all in common but their names.
struct SetSection {
  std::string group;
  std::vector<std::string> jobs;  // their names
  bool start = true;
  std::vector<ConfEntry> entries;
  std::vector<std::string> env;  // "K=V", besides and before what whoever loads it has

  // Whether a job of the other could stand in this one.
  [[nodiscard]] bool alike(const SetSection& other) const {
    return group == other.group && start == other.start && entries == other.entries && env == other.env;
  }
};

// A section for each. Those of one group are told apart by a '#N' after its name, which no name can hold.
std::string set_text(const std::vector<SetSection>& sections);

}  // namespace usvc
