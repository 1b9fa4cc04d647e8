// One job's settings: typed, and as entries of the section [core] of a git-config file. No file is touched here.
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "job/limits.h"
#include "job/restart.h"

namespace usvc {

// How the processes that a job makes are known. In the order of the option's choices.
enum class TreeTier { automatic, cgroup, proc, subreaper };

struct Conf {
  std::string cmd;
  std::vector<std::string> args;
  std::string name;   // empty: the conf did not say
  std::string group;  // the same
  std::string cwd;    // the same
  std::string log;    // empty: logs/NAME.log
  bool keepalive = true;
  RestartPolicy restart = RestartPolicy::always;  // never, where keepalive is false
  bool tty = true;
  bool split = false;  // stderr in a log of its own, where there is no terminal
  std::vector<std::string> alerts;
  std::string pre_cmd;
  std::string post_cmd;
  bool runaway_protect = true;
  int stop_signal = SIGTERM;
  Duration stop_timeout = std::chrono::seconds(10);
  Duration settle = std::chrono::milliseconds(300);
  TreeTier tree = TreeTier::automatic;
  std::optional<int> umask;
  std::optional<int> nice;
  std::vector<Limit> limits;
  std::uint64_t log_max_size = std::uint64_t{64} << 20U;
  int log_keep = 8;

  friend bool operator==(const Conf&, const Conf&) = default;
};

// One line of a conf.
struct ConfEntry {
  std::string key;  // without "core.", lower case
  std::string value;
  std::string file;  // where it was read; empty and 0: nowhere
  int line = 0;
  bool has_value = true;  // false for a bare "key", which git takes for true

  friend bool operator==(const ConfEntry&, const ConfEntry&) = default;
};

// Of a key that is not repeatable the last value wins, of one resource the last limit. Errors read "FILE:LINE:
// core.KEY: why (what is allowed)".
Result<Conf> conf_from_entries(const std::vector<ConfEntry>& entries);
// What it takes to get the same Conf back: what is not the default, and always cmd, args, name, group and cwd.
std::vector<ConfEntry> conf_to_entries(const Conf& conf);
// The entries as a git-config file with one section [core].
std::string conf_text(const std::vector<ConfEntry>& entries);
// One value as it must be written after "key = ", quoted unless it is clearly harmless.
std::string conf_quote(std::string_view value);

}  // namespace usvc
