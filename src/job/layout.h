// Where one instance keeps its files. Pure string work: nothing is looked up, nothing is made.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace usvc {

// std::getenv or a stand-in: nullptr for what is not set.
using GetEnv = std::function<const char*(const char*)>;

struct Layout {
  std::string home;          // DIR of --home or USVC_HOME; else the state directory
  std::string jobs_dir;      // NAME.conf, NAME.env
  std::string logs_dir;      // NAME.log, NAME.log.idx
  std::string old_logs_dir;  // rotated and cleaned logs
  std::string journal_dir;
  std::string work_dir;  // a scratch directory for each job
  std::string run_dir;   // holds the sockets
  std::string socket;
  std::string tmux_socket;
  std::string settings;
  std::string lock;
  std::string instance_log;
  std::string keeper_pid;  // files with the two pids as last known, see last_process() in proc/process.h
  std::string manager_pid;

  // `home_option` (--home) goes before USVC_HOME, that before XDG directories; empty is not given. A relative one is
  // taken from `cwd`.
  static Result<Layout> from(std::string_view home_option, const GetEnv& env, std::string_view cwd);

  [[nodiscard]] std::string conf_path(std::string_view name) const;
  [[nodiscard]] std::string env_path(std::string_view name) const;
  [[nodiscard]] std::string log_path(std::string_view name) const;
  [[nodiscard]] std::string index_path(std::string_view name) const;
  [[nodiscard]] std::string work_path(std::string_view name) const;
};

}  // namespace usvc
