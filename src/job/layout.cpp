#include "job/layout.h"

#include "base/text.h"

namespace usvc {
namespace {

std::string_view value_of(const GetEnv& env, const char* variable) {
  const char* value = env(variable);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// Absolute, without empty and "." parts. ".." stays: what it means depends on symbolic links.
std::string absolute(std::string_view path, std::string_view cwd) {
  const std::string joined = path.starts_with('/') ? std::string(path) : std::string(cwd) + "/" + std::string(path);
  std::string result;
  for (const std::string_view part : split(joined, '/')) {
    if (part.empty() || part == ".") continue;
    result += '/';
    result += part;
  }
  return result.empty() ? "/" : result;
}

// An XDG base directory, or its default below the home directory. A relative value is to be ignored, says the
// specification.
Result<std::string> xdg_dir(const GetEnv& env, const char* variable, std::string_view below_home) {
  if (const auto value = value_of(env, variable); value.starts_with('/')) return absolute(value, "");
  if (const auto home = value_of(env, "HOME"); home.starts_with('/')) {
    return absolute(std::string(home) + "/" + std::string(below_home), "");
  }
  return fail(Error("cannot tell where to keep files: HOME is not set").hint("set HOME, or USVC_HOME to a directory"));
}

Layout in_directories(const std::string& state_dir, const std::string& run_dir, const std::string& settings_dir) {
  Layout layout;
  layout.home = state_dir;
  layout.jobs_dir = state_dir + "/jobs";
  layout.logs_dir = state_dir + "/logs";
  layout.old_logs_dir = layout.logs_dir + "/old";
  layout.journal_dir = state_dir + "/journal";
  layout.work_dir = state_dir + "/work";
  layout.run_dir = run_dir;
  layout.socket = run_dir + "/usvc.sock";
  layout.tmux_socket = run_dir + "/tmux.sock";
  layout.settings = settings_dir + "/usvc.conf";
  layout.lock = state_dir + "/lock";
  layout.instance_log = state_dir + "/instance.log";
  layout.keeper_pid = run_dir + "/keeper.pid";
  layout.manager_pid = run_dir + "/manager.pid";
  return layout;
}

std::string in(const std::string& directory, std::string_view name, std::string_view suffix) {
  return directory + "/" + std::string(name) + std::string(suffix);
}

}  // namespace

Result<Layout> Layout::from(std::string_view home_option, const GetEnv& env, std::string_view cwd) {
  const std::string_view home = home_option.empty() ? value_of(env, "USVC_HOME") : home_option;
  if (!home.empty()) {
    const std::string directory = absolute(home, cwd);
    // Without this "/jobs" and the like would lie in the root directory.
    if (directory == "/")
      return fail("cannot keep an instance in '/': choose a directory of its own", ErrorKind::usage);
    return in_directories(directory, directory, directory);
  }
  auto state = xdg_dir(env, "XDG_STATE_HOME", ".local/state");
  if (!state) return pass(state);
  auto config = xdg_dir(env, "XDG_CONFIG_HOME", ".config");
  if (!config) return pass(config);
  const std::string state_dir = *state + "/usvc";
  const auto runtime = value_of(env, "XDG_RUNTIME_DIR");
  const std::string run_dir = runtime.starts_with('/') ? absolute(runtime, "") + "/usvc" : state_dir + "/run";
  return in_directories(state_dir, run_dir, *config + "/usvc");
}

std::string Layout::conf_path(std::string_view name) const {
  return in(jobs_dir, name, ".conf");
}
std::string Layout::env_path(std::string_view name) const {
  return in(jobs_dir, name, ".env");
}
std::string Layout::log_path(std::string_view name) const {
  return in(logs_dir, name, ".log");
}
std::string Layout::index_path(std::string_view name) const {
  return in(logs_dir, name, ".log.idx");
}
std::string Layout::work_path(std::string_view name) const {
  return in(work_dir, name, "");
}

}  // namespace usvc
