#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "base/signals.h"
#include "base/text.h"
#include "base/time.h"
#include "foreign/unsayable.h"

namespace usvc::foreign {

namespace {

std::string percents(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '%' ? "%%" : std::string(1, c);
  return out;
}

// A word in double quotes as systemd.syntax(7) has it. On command lines $ means a variable too.
std::string unit_word(std::string_view word, bool command) {
  std::string out = "\"";
  for (const char c : word) {
    switch (c) {
      case '"':
      case '\\':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      case '%':
        out += "%%";
        break;
      case '$':
        out += command ? "$$" : "$";
        break;
      default:
        out += c;
    }
  }
  return out + "\"";
}

std::string command_line(const std::string& cmd, const std::vector<std::string>& args) {
  std::string line = unit_word(cmd, true);
  for (const auto& arg : args) line += " " + unit_word(arg, true);
  return line;
}

// "nofile" -> "LimitNOFILE"; empty: systemd has none of that name.
std::string limit_key(const Limit& limit) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 16> names{{{"core", "CORE"},
                                                                                 {"cpu", "CPU"},
                                                                                 {"data", "DATA"},
                                                                                 {"fsize", "FSIZE"},
                                                                                 {"locks", "LOCKS"},
                                                                                 {"memlock", "MEMLOCK"},
                                                                                 {"msgqueue", "MSGQUEUE"},
                                                                                 {"nice", "NICE"},
                                                                                 {"nofile", "NOFILE"},
                                                                                 {"nproc", "NPROC"},
                                                                                 {"as", "AS"},
                                                                                 {"rss", "RSS"},
                                                                                 {"rtprio", "RTPRIO"},
                                                                                 {"rttime", "RTTIME"},
                                                                                 {"sigpending", "SIGPENDING"},
                                                                                 {"stack", "STACK"}}};
  const std::string name = limit_name(limit.resource);
  for (const auto& [ours, theirs] : names) {
    if (ours == name) return "Limit" + std::string(theirs);
  }
  return {};
}

std::string limit_value(std::uint64_t value) {
  return value == RLIM_INFINITY ? "infinity" : std::to_string(value);
}

std::string_view restart_word(RestartPolicy policy) {
  switch (policy) {
    case RestartPolicy::always:
      return "always";
    case RestartPolicy::on_failure:
      return "on-failure";
    case RestartPolicy::never:
      return "no";
  }
  return "no";
}

// systemd takes 0 for no end of waiting; usvc kills at once.
std::string stop_timeout(Duration duration) {
  using std::chrono::milliseconds;
  return std::to_string(std::max(std::chrono::ceil<milliseconds>(duration), milliseconds(1)).count()) + "ms";
}

std::string octal(int mask) {
  std::string digits(4, '0');
  for (std::size_t i = 4; i > 0; --i, mask /= 8) digits[i - 1] = static_cast<char>('0' + mask % 8);
  return digits;
}

std::string service_section(const Saved& job) {
  const Conf& conf = job.conf;
  std::string text = "[Service]\nExecStart=" + command_line(conf.cmd, conf.args) + "\n";
  if (!conf.pre_cmd.empty()) text += "ExecStartPre=" + command_line("/bin/sh", {"-c", conf.pre_cmd}) + "\n";
  if (!conf.post_cmd.empty()) text += "ExecStopPost=" + command_line("/bin/sh", {"-c", conf.post_cmd}) + "\n";
  if (!conf.cwd.empty()) text += "WorkingDirectory=" + percents(conf.cwd) + "\n";
  for (const auto& assignment : job.env) text += "Environment=" + unit_word(assignment, false) + "\n";
  text += "Restart=" + std::string(restart_word(conf.restart)) + "\n";
  if (conf.restart != RestartPolicy::never) text += "RestartSec=1\n";
  text += "KillSignal=SIG" + signal_name(conf.stop_signal) + "\n";
  text += "TimeoutStopSec=" + stop_timeout(conf.stop_timeout) + "\n";
  if (conf.umask) text += "UMask=" + octal(*conf.umask) + "\n";
  if (conf.nice) text += "Nice=" + std::to_string(*conf.nice) + "\n";
  for (const auto& limit : conf.limits) {
    const std::string key = limit_key(limit);
    if (!key.empty()) text += key + "=" + limit_value(limit.soft) + ":" + limit_value(limit.hard) + "\n";
  }
  if (!conf.log.empty()) text += "StandardOutput=append:" + percents(conf.log) + "\nStandardError=inherit\n";
  return text;
}

}  // namespace

// A unit for a user's manager. It never gives up on a job, as usvc does not.
Exported export_systemd(const std::vector<Saved>& set) {
  constexpr std::array<std::string_view, 13> sayable = {
      "keepalive", "restart", "pre-cmd", "post-cmd", "stop-signal", "stop-timeout",   "umask",
      "nice",      "limit",   "log",     "tty",      "split",       "runaway-protect"};
  Exported out;
  for (Saved job : set) {
    const Conf& conf = job.conf;
    drop_odd_variables(job, out.remarks);
    if (conf.cwd.find_first_of("\n\r") != std::string::npos || conf.log.find_first_of("\n\r") != std::string::npos) {
      leave_out(conf, "there is a line end in a path of it", out.remarks);
      continue;
    }
    if (!is_all_utf8(job) || !is_utf8(conf.pre_cmd) || !is_utf8(conf.post_cmd) || !is_utf8(conf.log)) {
      leave_out(conf, "there are bytes in it that are not UTF-8, and systemd takes no unit with such", out.remarks);
      continue;
    }
    tell_unsayable(conf, sayable, "a unit", out.remarks);
    tell_tokens(conf, out.remarks);
    tell_hook_tokens(conf, out.remarks);
    if (!job.wanted) out.remarks.push_back({conf.name + ": it is stopped here; do not enable its unit"});
    out.files.push_back({conf.name + ".service", "[Unit]\nDescription=" + conf.name + ", " +
                                                     percents(printable(conf.cmd)) + "\nStartLimitIntervalSec=0\n\n" +
                                                     service_section(job) + "\n[Install]\nWantedBy=default.target\n"});
  }
  if (!out.files.empty()) {
    out.remarks.push_back({"systemd gives no job a terminal; what they write is in the journal unless log is set"});
    out.remarks.push_back({"systemd waits one second before each restart, not longer and longer"});
  }
  return out;
}

}  // namespace usvc::foreign
