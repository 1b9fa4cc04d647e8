// What the machine gives and when it takes it away.
#include <fmt/core.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/fd.h"
#include "base/files.h"
#include "base/lookup.h"
#include "base/run_program.h"
#include "base/text.h"
#include "cli/boot.h"
#include "cli/doctor/checks.h"
#include "cli/doctor/judge.h"

namespace usvc::doctor {

namespace {

// systemd-logind ends what a session has begun when its user logs out, where it is told to (KillUserProcesses).
bool ends_with_session(const VarsView& vars) {
  if (!vars.manager_pid) return false;
  std::string cgroup;
  if (!read_small(fmt::format("/proc/{}/cgroup", *vars.manager_pid).c_str(), cgroup)) return false;
  if (cgroup.find("/session-") == std::string::npos) return false;
  const auto shown = usvc::run_program({"busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1",
                                        "org.freedesktop.login1.Manager", "KillUserProcesses"});
  return shown && shown->status == 0 && trim(shown->out) == "b true";
}

void check_descriptors(const VarsView& vars, Findings& findings) {
  const auto look = [&](const char* name, std::optional<std::int64_t> pid) {
    if (!pid) return;
    const auto process = static_cast<pid_t>(*pid);
    const auto open = open_descriptors(process);
    const auto limit = read_descriptor_limit(process);
    if (open && limit) findings.push_back(judge_descriptors(name, process, *open, *limit));
  };
  look("manager", vars.manager_pid);
  look("keeper", vars.keeper_pid);
}

}  // namespace

Findings check_boot(const Patient& patient) {
  Findings findings;
  const auto kind = boot_kind(*patient.context);
  const auto lingers = lingering();
  if (!kind) {
    findings.push_back(hint("boot", "the instance is not started with the machine",
                            boot_is_possible() ? "usvc init --boot"
                                               : "install cron, or log in so that a systemd user manager runs; then: "
                                                 "usvc init --boot"));
  } else if (*kind == "systemd" && !lingers.value_or(true)) {
    findings.push_back(trouble("boot", "lingering is off: the instance begins at login and ends with the last logout",
                               enable_lingering_command()));
  } else if (*kind == "cron" && !cron_runs().value_or(true)) {
    findings.push_back(trouble("boot",
                               "a crontab line is to start the instance with the machine, and no cron daemon runs",
                               std::string(start_cron)));
  } else {
    findings.push_back(well("boot", "started with the machine (" + *kind + ")"));
  }
  if (lingers.value_or(true) || (kind && *kind == "systemd")) return findings;
  if (ends_with_session(patient.vars)) {
    findings.push_back(trouble("logout", "systemd ends the instance and its jobs when you log out (KillUserProcesses)",
                               enable_lingering_command() + " && usvc init --boot"));
  } else if (patient.vars.socket.starts_with("/run/user/")) {
    findings.push_back(hint("logout", "the instance's socket lies in /run/user, which is emptied at the last logout",
                            enable_lingering_command()));
  }
  return findings;
}

Findings check_limits(const Patient& patient) {
  Findings findings;
  check_descriptors(patient.vars, findings);
  if (const auto terminals = read_terminals()) findings.push_back(judge_terminals(*terminals));
  const Fd watch(::inotify_init1(IN_CLOEXEC));
  if (!watch && errno == EMFILE) {
    findings.push_back(trouble("limits", "no more inotify instances: following a log would fail",
                               "sudo sysctl fs.inotify.max_user_instances=1024"));
  }
  return findings;
}

Findings check_machine(const Patient& patient) {
  Findings findings;
  std::string init;
  if (!read_small("/proc/1/stat", init)) {
    findings.push_back(hint("proc",
                            "/proc hides other users' processes: of a job that changes its user, memory, CPU and "
                            "strays are not seen",
                            "sudo mount -o remount,hidepid=0 /proc"));
  }
  if (patient.vars.manager_pid) {
    findings.push_back(well("trees", patient.vars.cgroup
                                         ? "what jobs leave behind is found by cgroup"
                                         : "what jobs leave behind is found through /proc, since usvc has no cgroup"));
  }
  const char* path = std::getenv("PATH");
  if (!find_command("tmux", "/", path != nullptr ? path : "")) {
    findings.push_back(
        hint("tmux", "usvc attach without a job needs tmux, which is not installed", "sudo apt-get install tmux"));
  }
  return findings;
}

}  // namespace usvc::doctor
