#include <array>
#include <boost/json.hpp>

#include "base/signals.h"
#include "base/text.h"
#include "base/time.h"
#include "foreign/unsayable.h"

namespace usvc::foreign {

namespace {

// JSON's strings are YAML's in double quotes. $ would be a variable.
std::string yaml_string(std::string_view text) {
  std::string doubled;
  for (const char c : text) doubled += c == '$' ? "$$" : std::string(1, c);
  return boost::json::serialize(boost::json::string(doubled));
}

void tell_templates(const Saved& job, std::vector<Remark>& remarks) {
  const auto tell = [&](const std::string& text) {
    if (text.find("{{") == std::string::npos) return;
    remarks.push_back({job.conf.name + ": " + printable(text) +
                       ": process-compose fills in templates ({{…}}); it is written as it is"});
  };
  tell(job.conf.cmd);
  for (const auto& arg : job.conf.args) tell(arg);
  tell(job.conf.cwd);
  for (const auto& assignment : job.env) tell(assignment);
}

std::string_view restart_key(RestartPolicy policy) {
  switch (policy) {
    case RestartPolicy::always:
      return "always";
    case RestartPolicy::on_failure:
      return "on_failure";
    case RestartPolicy::never:
      return "no";
  }
  return "no";
}

std::string process_text(const Saved& job) {
  const Conf& conf = job.conf;
  std::string text = "  " + yaml_string(conf.name) + ":\n    entrypoint:\n      - " + yaml_string(conf.cmd) + "\n";
  for (const auto& arg : conf.args) text += "      - " + yaml_string(arg) + "\n";
  if (!conf.cwd.empty()) text += "    working_dir: " + yaml_string(conf.cwd) + "\n";
  if (!job.env.empty()) text += "    environment:\n";
  for (const auto& assignment : job.env) text += "      - " + yaml_string(assignment) + "\n";
  if (conf.group != conf.name) text += "    namespace: " + yaml_string(conf.group) + "\n";
  if (conf.tty) text += "    is_tty: true\n";
  if (!job.wanted) text += "    disabled: true\n";
  const auto timeout = std::chrono::ceil<std::chrono::seconds>(conf.stop_timeout).count();
  text += "    availability:\n      restart: " + yaml_string(restart_key(conf.restart)) + "\n";
  text += "    shutdown:\n      signal: " + std::to_string(conf.stop_signal) +
          "\n      timeout_seconds: " + std::to_string(timeout) + "\n";
  return text;
}

}  // namespace

Exported export_compose(const std::vector<Saved>& set) {
  constexpr std::array<std::string_view, 5> sayable = {"keepalive", "restart", "tty", "stop-signal", "stop-timeout"};
  Exported out;
  std::string text = "version: \"0.5\"\nprocesses:";
  std::string processes;
  for (const auto& job : set) {
    if (!is_all_utf8(job)) {
      leave_out(job.conf, "there are bytes in it that are not UTF-8, and YAML has no word for them", out.remarks);
      continue;
    }
    tell_unsayable(job.conf, sayable, "process-compose", out.remarks);
    tell_tokens(job.conf, out.remarks);
    tell_templates(job, out.remarks);
    processes += process_text(job);
  }
  text += processes.empty() ? " {}\n" : "\n" + processes;
  out.files.push_back({"", std::move(text)});
  return out;
}

}  // namespace usvc::foreign
