#include "cli/boot.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "base/lookup.h"
#include "base/run_program.h"
#include "base/text.h"
#include "cli/boot_command.h"
#include "cli/caller.h"
#include "proc/process.h"

namespace usvc {

namespace {

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool in_path(const char* program) {
  return find_command(program, "/", variable("PATH")).has_value();
}

// Where instances keep their state whom no variable says otherwise.
std::string usual_state_dir() {
  const auto home_only = [](const char* name) {
    return std::string_view(name) == "HOME" ? std::getenv(name) : nullptr;
  };
  const auto layout = Layout::from("", home_only, "/");
  return layout ? directory_of(layout->home) : "";
}

Result<BootCommand> boot_command(const Context& context) {
  BootCommand command;
  std::array<char, 4096> self{};
  const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
  if (length <= 0) return fail(Error::last("/proc/self/exe"));
  command.program.assign(self.data(), static_cast<std::size_t>(length));
  command.home = context.home;
  command.allow_root = ::geteuid() == 0;
  if (!context.home) {
    for (const char* name : {"XDG_STATE_HOME", "XDG_CONFIG_HOME"}) {
      if (auto value = variable(name); value.starts_with('/')) command.variables.emplace_back(name, std::move(value));
    }
  }
  command.state_dir = directory_of(context.layout.home);
  command.usual_state_dir = usual_state_dir();
  if (auto sound = check_boot_command(command); !sound) return pass(sound);
  return command;
}

// ---- systemd

std::string unit_directory() {
  const std::string config = variable("XDG_CONFIG_HOME");
  return (config.starts_with('/') ? config : variable("HOME") + "/.config") + "/systemd/user";
}

std::string unit_path(const BootCommand& command) {
  return unit_directory() + "/" + unit_name(command);
}

std::string link_path(const BootCommand& command) {
  return unit_directory() + "/default.target.wants/" + unit_name(command);
}

// A session begun by su or sudo does not know where its user manager is.
void find_user_manager() {
  if (!variable("XDG_RUNTIME_DIR").empty()) return;
  const std::string usual = "/run/user/" + std::to_string(::geteuid());
  if (exists(usual + "/systemd/private")) (void)::setenv("XDG_RUNTIME_DIR", usual.c_str(), 1);
}

bool user_manager_runs() {
  find_user_manager();
  const std::string runtime = variable("XDG_RUNTIME_DIR");
  return !runtime.empty() && exists(runtime + "/systemd/private") && in_path("systemctl");
}

Status systemctl(std::vector<std::string> words) {
  words.insert(words.begin(), {"systemctl", "--user"});
  auto output = run_program(words);
  if (!output) return pass(output);
  if (output->status == 0) return {};
  return fail("systemctl --user " + words.at(2) + ": " + output->complaint());
}

// Without lingering a user's manager begins at the first login and ends after the last.
std::optional<Error> enable_lingering() {
  if (lingering().value_or(false)) return std::nullopt;
  const std::string user = user_name();
  const auto enabled = run_program({"loginctl", "--no-ask-password", "enable-linger", user});
  if (enabled && enabled->status == 0) return std::nullopt;
  const std::string why = enabled ? enabled->complaint() : enabled.error().message();
  return Error("starts when " + user + " logs in and ends with the last logout, since lingering is off: " + why)
      .hint(enable_lingering_command());
}

Result<BootSetUp> set_up_unit(const BootCommand& command) {
  const std::string path = unit_path(command);
  std::error_code failure;
  std::filesystem::create_directories(unit_directory(), failure);
  if (failure) return fail(Error::from_errno(failure.value(), "cannot make " + unit_directory()));
  if (auto written = write_file_atomically(path, unit_text(command)); !written) return pass(written);
  const std::string name = unit_name(command);
  if (auto read = systemctl({"daemon-reload"}); !read) return pass(read);
  if (auto enabled = systemctl({"enable", name}); !enabled) return pass(enabled);
  BootSetUp result{.how = "systemd unit " + path, .drawback = enable_lingering(), .remark = {}};
  // From now on it belongs to the unit; an instance that runs already is not disturbed by that.
  if (auto started = systemctl({"start", name}); !started) return pass(started);
  return result;
}

Result<bool> remove_unit(const BootCommand& command) {
  const std::string path = unit_path(command);
  if (!exists(path)) return false;
  const bool manager = user_manager_runs();
  // Its link is removed below where no manager runs that could.
  if (manager) (void)systemctl({"disable", unit_name(command)});
  for (const auto& file : {link_path(command), path}) {
    if (auto removed = remove_all(file); !removed) return pass(removed);
  }
  if (manager) {
    if (auto read = systemctl({"daemon-reload"}); !read) return pass(read);
  }
  return true;
}

// ---- cron

// The user's crontab; empty when there is none.
Result<std::string> read_crontab() {
  auto listed = run_program({"crontab", "-l"});
  if (!listed) return pass(listed);
  if (listed->status == 0) return std::move(listed->out);
  if (listed->err.find("no crontab for") != std::string::npos) return std::string();
  return fail("cannot read the crontab: " + listed->complaint());
}

Status write_crontab(const std::string& text) {
  auto written = text.empty() ? run_program({"crontab", "-r"}) : run_program({"crontab", "-"}, text);
  if (!written) return pass(written);
  if (written->status == 0) return {};
  return fail("cannot change the crontab: " + written->complaint());
}

Result<BootSetUp> set_up_cron(const BootCommand& command) {
  if (!in_path("crontab")) {
    return fail(Error("cannot be started with the machine: no systemd user manager runs, and there is no crontab")
                    .hint("install cron, or have " + shell_quote(command.program) + " init run at boot"));
  }
  auto crontab = read_crontab();
  if (!crontab) return pass(crontab);
  if (auto written = write_crontab(with_cron_line(*crontab, command)); !written) return pass(written);
  BootSetUp result{.how = "crontab line", .drawback = {}, .remark = {}};
  if (!cron_runs().value_or(true)) {
    result.remark = Error("no cron daemon runs, and without one nothing starts it").hint(std::string(start_cron));
  }
  return result;
}

Result<bool> remove_cron(const BootCommand& command) {
  if (!in_path("crontab")) return false;
  auto crontab = read_crontab();
  if (!crontab) return pass(crontab);
  if (!has_cron_line(*crontab, command)) return false;
  if (auto written = write_crontab(without_cron_line(*crontab, command)); !written) return pass(written);
  return true;
}

}  // namespace

Result<BootSetUp> set_up_boot(const Context& context) {
  auto command = boot_command(context);
  if (!command) return pass(command);
  if (!user_manager_runs()) return set_up_cron(*command);
  // Two of them would only be confusing: the second finds it running.
  if (auto removed = remove_cron(*command); !removed) return pass(removed);
  return set_up_unit(*command);
}

Result<std::vector<std::string>> remove_boot(const Context& context) {
  auto command = boot_command(context);
  if (!command) return pass(command);
  std::vector<std::string> removed;
  auto unit = remove_unit(*command);
  if (!unit) return pass(unit);
  if (*unit) removed.push_back("systemd unit " + unit_path(*command));
  auto line = remove_cron(*command);
  if (!line) return pass(line);
  if (*line) removed.emplace_back("crontab line");
  return removed;
}

std::optional<std::string> boot_kind(const Context& context) {
  const auto command = boot_command(context);
  if (!command) return std::nullopt;
  if (exists(unit_path(*command)) && exists(link_path(*command))) return "systemd";
  if (!in_path("crontab")) return std::nullopt;
  const auto crontab = read_crontab();
  if (crontab && has_cron_line(*crontab, *command)) return "cron";
  return std::nullopt;
}

std::optional<bool> cron_runs() {
  // systemd-cron has no daemon: it makes timers of crontabs.
  if (exists("/run/systemd/system") && exists("/usr/lib/systemd/system-generators/systemd-crontab-generator"))
    return true;
  constexpr std::array<std::string_view, 3> daemons = {"cron", "crond", "fcron"};
  return runs_any_of(daemons);
}

bool boot_is_possible() {
  return user_manager_runs() || in_path("crontab");
}

std::optional<bool> lingering() {
  if (!exists("/run/systemd/system")) return std::nullopt;
  // logind asks for the name's file, and so it is known of users who are not logged in, too.
  return exists("/var/lib/systemd/linger/" + user_name());
}

std::string enable_lingering_command() {
  return "sudo loginctl enable-linger " + user_name();
}

json::object vars_with_boot(const VarsView& vars, const Context& context) {
  json::object result = to_json(vars).as_object();
  const auto kind = boot_kind(context);
  result["boot"] = kind ? json::value(*kind) : json::value(nullptr);
  return result;
}

}  // namespace usvc
