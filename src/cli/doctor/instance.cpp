// The instance's own programs, and those of its jobs.
#include "cli/instance.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "base/files.h"
#include "base/lookup.h"
#include "base/text.h"
#include "base/time.h"
#include "base/version.h"
#include "cli/doctor/checks.h"
#include "cli/remote.h"
#include "cli/words.h"
#include "job/environment.h"
#include "log/disposal.h"
#include "proc/limits.h"
#include "proc/process.h"

namespace usvc::doctor {

namespace {

constexpr std::size_t most_named = 8;

std::string names_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most_named; ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > most_named) text += fmt::format(" and {} more", names.size() - most_named);
  return text;
}

std::string restart_command(const std::vector<std::string>& names) {
  std::string text = "usvc restart --rolling";
  for (const auto& name : names) text += " " + name;
  return text;
}

// A finding when the process runs another program than the one that is installed.
std::optional<FindingView> replaced(const std::string& name, pid_t pid, const std::string& version) {
  if (version != own_version()) {
    return trouble(
        "instance",
        fmt::format("the {} that runs is of version {}, this usvc of {}", name, printable(version), own_version()),
        "usvc upgrade");
  }
  const auto installed = helper_program("usvc-" + name);
  if (!installed) return trouble("instance", installed.error().message(), "install usvc anew");
  if (!same_file(fmt::format("/proc/{}/exe", pid).c_str(), installed->c_str())) {
    return trouble("instance", fmt::format("the {} that runs is not the program that is installed now", name),
                   "usvc upgrade");
  }
  if (has_replaced_library(pid)) {
    return trouble("instance", fmt::format("the {} uses a library that has been replaced since", name), "usvc upgrade");
  }
  return std::nullopt;
}

// Stopped by a signal or a debugger: it does nothing, and yet is there.
std::optional<FindingView> stopped(const std::string& name, pid_t pid) {
  ProcessStat stat;
  std::string buffer;
  if (!read_stat(pid, stat, buffer) || (stat.state != 'T' && stat.state != 't')) return std::nullopt;
  return trouble("instance", fmt::format("the {} (pid {}) has been stopped by a signal", name, pid),
                 fmt::format("kill -CONT {}", pid));
}

void check_process(const std::string& name, std::optional<std::int64_t> pid, const std::string& version,
                   Findings& findings) {
  if (!pid) return;
  const auto process = static_cast<pid_t>(*pid);
  auto found = stopped(name, process);
  if (!found) found = replaced(name, process, version);
  if (found) findings.push_back(std::move(*found));
}

std::string value_in(const ConfView& conf, std::string_view key) {
  std::string value;
  for (const auto& entry : conf.entries) {
    if (entry.key == key) value = entry.value;
  }
  return value;
}

// Why the program that the conf names can't be started. It may be another than the one that runs.
std::optional<Error> missing_program(const Patient& patient, const JobView& job, const ConfView& conf) {
  const std::string cmd = value_in(conf, "cmd");
  std::string path;
  if (!cmd.contains('/')) {
    const auto environment = read_file(patient.context->layout.env_path(job.name));
    if (!environment) return std::nullopt;  // not a question of its program
    path = search_path_of(variables_in(*environment));
  }
  const auto program = find_command(cmd, job.cwd, path);
  return program ? std::nullopt : std::optional(program.error());
}

// Whether its conf can be used; what its next start would stumble over, though it runs, is told.
bool check_conf(const Patient& patient, const JobView& job, Findings& findings) {
  const auto conf = Remote(*patient.context, NoInstance::offline).conf(job.name);
  const bool told = job.state == "invalid" || (job.trouble && job.trouble->starts_with(job.conf));
  if (!told && conf) {
    const auto missing = job.pid ? missing_program(patient, job, *conf) : std::nullopt;
    if (!missing) return true;
    findings.push_back(trouble("jobs", job.name + " runs, and its next start would fail: " + missing->bare_message(),
                               "put its program back, or: usvc conf " + job.name + " cmd PATH"));
    return false;
  }
  const std::string why = told ? job.trouble.value_or("its conf is not valid") : conf.error().message();
  findings.push_back(trouble("jobs", job.name + ": " + printable(why),
                             "mend " + shell_quote(job.conf) + ", then: usvc restart " + job.name));
  return false;
}

// Jobs that status has in red.
void tell_ailing(const std::vector<const JobView*>& ailing, double now, Findings& findings) {
  if (ailing.size() == 1) {
    const JobView& job = *ailing.front();
    findings.push_back(trouble("jobs", job.name + ": " + trouble_words(job, now), "usvc why " + job.name));
  } else if (!ailing.empty()) {
    std::vector<std::string> names(ailing.size());
    std::ranges::transform(ailing, names.begin(), [](const JobView* job) { return job->name; });
    findings.push_back(trouble("jobs", "in trouble: " + names_of(names), "usvc status; usvc why JOB"));
  }
}

void check_log(const JobView& job, Findings& findings) {
  const auto rotates = check_log_rotates(job.log);
  if (rotates) return;
  findings.push_back(hint(
      "jobs", job.name + ": " + rotates.error().bare_message(),
      fmt::format("usvc conf {0} log \"$(readlink -f {1})\" && usvc restart {0}", job.name, shell_quote(job.log))));
}

// Whether a finding has said it already: what a process is stopped by, the manager tells too.
bool said(const Findings& findings, const std::string& text) {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const FindingView& finding) { return text.starts_with(finding.what); });
}

// What the manager tells, with what mends it.
FindingView trouble_told(const Patient& patient, const std::string& text) {
  const std::string& settings = patient.vars.settings;
  if (text.starts_with("cannot open " + settings)) {
    return trouble("settings", printable(text), "chmod u+r " + shell_quote(settings));
  }
  if (text.starts_with(settings) || text.starts_with("cannot read " + settings)) {
    return trouble("settings", printable(text), "mend " + shell_quote(settings));
  }
  const auto stray = text.find(" is no job: ");
  if (stray != std::string::npos && text.starts_with(patient.context->layout.jobs_dir + "/")) {
    return trouble("jobs", printable(text), "rename or remove " + shell_quote(text.substr(0, stray)));
  }
  return trouble("instance", printable(text), "look into " + shell_quote(patient.vars.instance_log));
}

void check_troubles(const Patient& patient, Findings& findings) {
  for (const auto& text : patient.troubles) {
    if (said(findings, text)) continue;
    findings.push_back(trouble_told(patient, text));
  }
}

}  // namespace

Findings check_instance(const Patient& patient) {
  const VarsView& vars = patient.vars;
  Findings findings;
  if (!vars.manager_pid && !vars.keeper_pid) {
    findings.push_back(well("instance", "none runs; the next usvc start begins one"));
    check_troubles(patient, findings);
    return findings;
  }
  if (!vars.manager_pid || !vars.keeper_pid) {
    findings.push_back(trouble("instance", fmt::format("the {} is away", vars.manager_pid ? "keeper" : "manager"),
                               "look into " + shell_quote(vars.instance_log)));
  }
  check_process("manager", vars.manager_pid, vars.version, findings);
  check_process("keeper", vars.keeper_pid, vars.keeper_version.value_or(vars.version), findings);
  if (findings.empty()) {
    findings.push_back(well("instance", fmt::format("runs, version {}, manager {}, keeper {}", vars.version,
                                                    *vars.manager_pid, *vars.keeper_pid)));
  }
  check_troubles(patient, findings);
  return findings;
}

Findings check_jobs(const Patient& patient) {
  Findings findings;
  std::vector<std::string> changed;
  std::vector<std::string> libraries;
  std::vector<const JobView*> ailing;
  const double now = unix_now();
  for (const auto& job : patient.jobs) {
    const bool usable = check_conf(patient, job, findings);
    if (usable && patient.vars.manager_pid && !trouble_words(job, now).empty()) ailing.push_back(&job);
    check_log(job, findings);
    // To restart it would not mend it; one that does not run has nothing to be brought up to date.
    if (!usable || !job.pid) continue;
    if (job.md5_changed.value_or(false)) {
      changed.push_back(job.name);
    } else if (has_replaced_library(static_cast<pid_t>(*job.pid))) {
      libraries.push_back(job.name);
    }
  }
  tell_ailing(ailing, now, findings);
  if (!changed.empty()) {
    findings.push_back(trouble("jobs", "running a program that has been replaced since: " + names_of(changed),
                               restart_command(changed)));
  }
  if (!libraries.empty()) {
    findings.push_back(hint("jobs", "using a library that has been replaced since: " + names_of(libraries),
                            restart_command(libraries)));
  }
  if (findings.empty())
    findings.push_back(well("jobs", fmt::format("{}, programs as they were started", patient.jobs.size())));
  return findings;
}

}  // namespace usvc::doctor
