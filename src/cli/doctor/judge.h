// From figures to findings: pure, so that every judgement can be tested.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "cli/doctor/finding.h"
#include "proc/limits.h"

namespace usvc::doctor {

FindingView judge_terminals(const Terminals& terminals);

// `name` is "manager" or "keeper".
FindingView judge_descriptors(const std::string& name, pid_t pid, std::uint64_t open, const DescriptorLimit& limit);

struct Space {
  std::string path;
  std::uint64_t total = 0;  // bytes
  std::uint64_t free = 0;   // bytes that this user may take
  std::uint64_t inodes = 0;
  std::uint64_t free_inodes = 0;
  bool read_only = false;
  std::string network;  // the filesystem's type where it is one over a network
};
// `logs_dir`, `settings`: where usvc's own part of it lies, and what caps that.
FindingView judge_space(const Space& space, const std::string& logs_dir, const std::string& settings);

struct Owned {
  std::string path;
  uid_t owner = 0;
  mode_t mode = 0;
  bool directory = false;
  bool home = false;   // the instance's whole directory, which --home may have anywhere
  bool secret = true;  // others are not to read it either
};
// Nothing: nobody else can read or change it, and the user can.
std::optional<FindingView> judge_mode(const Owned& file, uid_t user);

}  // namespace usvc::doctor
