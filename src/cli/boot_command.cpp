#include "cli/boot_command.h"

#include <fmt/format.h>

#include "base/shell_words.h"
#include "base/text.h"

namespace usvc {

namespace {

constexpr std::string_view mark = "# usvc init --boot";

// As systemd-escape --path.
std::string escape_path(std::string_view path) {
  std::string result;
  for (const char c : path.substr(path.starts_with('/') ? 1 : 0)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool plain = letter || is_digit(c) || c == ':' || c == '_' || (c == '.' && !result.empty());
    if (plain) {
      result += c;
    } else if (c == '/') {
      result += '-';
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

// A word of a unit file. `$` begins a variable in a command's arguments, and in nothing else.
std::string unit_word(std::string_view word, bool argument = false) {
  std::string result = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '%' || (c == '$' && argument)) result += c;
    result += c;
  }
  return result + "\"";
}

std::string unit_command(const BootCommand& command, std::string_view verb) {
  std::string line = unit_word(command.program);
  if (command.home) line += " --home " + unit_word(*command.home, true);
  if (command.allow_root) line += " --allow-root";
  return line + " " + std::string(verb);
}

std::string mark_of(const BootCommand& command) {
  return std::string(mark) + (command.home ? " in " + *command.home : "");
}

std::string cron_line(const BootCommand& command) {
  std::string line;
  for (const auto& [name, value] : command.variables) line += name + "=" + shell_quote(value) + " ";
  line += shell_quote(command.program);
  if (command.home) line += " --home " + shell_quote(*command.home);
  if (command.allow_root) line += " --allow-root";
  line += " --quiet init " + mark_of(command);
  // An unescaped % is a newline to cron; the backslash does not reach the shell.
  for (auto at = line.find('%'); at != std::string::npos; at = line.find('%', at + 2)) line.insert(at, 1, '\\');
  return "@reboot " + line;
}

// Where the line's instance without a home of its own keeps its state.
std::string state_dir_of(std::string_view line, const BootCommand& command) {
  constexpr std::string_view variable = "XDG_STATE_HOME=";
  std::string plain(line);
  for (auto at = plain.find("\\%"); at != std::string::npos; at = plain.find("\\%", at + 1)) plain.erase(at, 1);
  for (const auto& word : split_shell_words(plain).words) {
    if (!word.starts_with(variable)) continue;
    std::string directory = word.substr(variable.size());
    while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
    return directory;
  }
  return command.usual_state_dir;
}

bool is_ours(std::string_view line, const BootCommand& command) {
  std::string end = " " + mark_of(command);
  for (auto at = end.find('%'); at != std::string::npos; at = end.find('%', at + 2)) end.insert(at, 1, '\\');
  if (!line.starts_with("@reboot ") || !line.ends_with(end)) return false;
  return command.home || state_dir_of(line, command) == command.state_dir;
}

}  // namespace

std::string unit_name(const BootCommand& command) {
  return "usvc" + (command.home ? "-" + escape_path(*command.home) : "") + ".service";
}

// KillMode=process: a restart of the unit ends only the process that speaks for the instance (cli/foreground.h); the
// next one finds the instance at work and has it take the installed programs. TimeoutStopSec: each job has a
// stop-timeout of its own. TasksMax: the jobs' processes are counted, not usvc's three.
std::string unit_text(const BootCommand& command) {
  std::string environment = "Environment=USVC_UNIT=%n\n";
  for (const auto& [name, value] : command.variables) {
    environment += fmt::format("Environment={}\n", unit_word(fmt::format("{}={}", name, value)));
  }
  return fmt::format(
      "# Made by usvc init --boot; usvc init --no-boot removes it.\n"
      "[Unit]\n"
      "Description=Programs kept running by usvc{}\n"
      "Documentation=man:usvc(1)\n"
      "\n"
      "[Service]\n"
      "Type=notify\n"
      "ExecStart={}\n"
      "ExecReload={}\n"
      "{}"
      "KillMode=process\n"
      "Delegate=yes\n"
      "OOMPolicy=continue\n"
      "TasksMax=infinity\n"
      "TimeoutStopSec=infinity\n"
      "Restart=on-failure\n"
      "RestartSec=5\n"
      "\n"
      "[Install]\n"
      "WantedBy=default.target\n",
      command.home ? " in " + escape_path(*command.home) : "", unit_command(command, "init --foreground"),
      unit_command(command, "upgrade"), environment);
}

std::string without_cron_line(std::string_view crontab, const BootCommand& command) {
  std::string result;
  while (!crontab.empty()) {
    const auto newline = crontab.find('\n');
    const std::string_view line = crontab.substr(0, newline);
    const std::string_view whole = newline == std::string_view::npos ? crontab : crontab.substr(0, newline + 1);
    if (!is_ours(line, command)) result += whole;
    crontab.remove_prefix(whole.size());
  }
  return result;
}

std::string with_cron_line(std::string_view crontab, const BootCommand& command) {
  std::string result = without_cron_line(crontab, command);
  if (!result.empty() && !result.ends_with('\n')) result += '\n';
  return result + cron_line(command) + "\n";
}

bool has_cron_line(std::string_view crontab, const BootCommand& command) {
  return without_cron_line(crontab, command).size() != crontab.size();
}

Status check_boot_command(const BootCommand& command) {
  std::string all = command.program + command.home.value_or("");
  for (const auto& [name, value] : command.variables) all += value;
  if (all.find('\n') == std::string::npos) return {};
  return fail("cannot be started with the machine: a path with a line break in it: " + printable(all));
}

}  // namespace usvc
