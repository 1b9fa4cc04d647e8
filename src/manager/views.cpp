#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "base/version.h"
#include "log/files.h"
#include "manager/attainable.h"
#include "manager/conf_store.h"
#include "manager/operations.h"
#include "manager/sweep.h"
#include "proc/process.h"

namespace usvc {

namespace {

// Without an instance nothing runs, whatever the journal's last word was. With one that does not answer, that word is
// the best there is.
JobState state_of(Instance& instance, const Job& job) {
  if (instance.online() || job.state == JobState::invalid) return job.known_state();
  if (!instance.silent()) return JobState::stopped;
  return job_state_from(instance.record_of(job).state).value_or(JobState::stopped);
}

// Or did so once.
bool keeps_errors_apart(const Instance& instance, const Job& job) {
  if (!job.conf || job.conf->tty) return false;
  if (job.conf->split) return true;
  const std::string log = error_log_of(instance.log_path_of(job));
  return ::access(log.c_str(), F_OK) == 0 && !instance.other_owner_of(log, job);
}

}  // namespace

JobView view_of(Instance& instance, const Job& job) {
  const JobRecord& record = instance.record_of(job);
  JobView view;
  view.name = job.name;
  view.group = group_of_name(job.name);
  view.log = instance.log_path_of(job);
  view.conf = instance.layout().conf_path(job.name);
  if (job.conf) {
    const Conf& conf = *job.conf;
    view.group = conf.group;
    view.cmd.push_back(conf.cmd);
    view.cmd.insert(view.cmd.end(), conf.args.begin(), conf.args.end());
    view.tty = conf.tty;
    view.cwd = conf.cwd;
    view.restart = conf.restart == RestartPolicy::always       ? "always"
                   : conf.restart == RestartPolicy::on_failure ? "on-failure"
                                                               : "never";
  }
  view.state = to_string(state_of(instance, job));
  if (const auto survivor = instance.silent() ? survivor_of(record) : std::nullopt) {
    view.pid = *survivor;
    view.start_ticks = record.start_ticks;
    view.started_at = record.started_at;
  }
  if (job.run && !job.run->end && (job.state == JobState::running || job.state == JobState::stopping)) {
    view.pid = job.run->pid;
    view.start_ticks = static_cast<std::int64_t>(job.run->start_ticks);
    view.started_at = record.started_at;
  }
  if (keeps_errors_apart(instance, job)) view.error_log = error_log_of(view.log);
  view.deaths = record.deaths;
  view.runs = record.runs;
  view.run_id = record.run_id;
  view.md5 = record.md5;
  view.binary = record.binary;
  view.wanted = record.wanted;
  if (job.state == JobState::waiting && instance.online()) view.waiting_until = record.waiting_until;
  view.last_exit = record.last_exit;
  view.deaths_in_a_row = record.deaths_in_a_row;
  view.first_death_in_row_at = record.first_death_in_row_at;
  view.log_offset = record.log_offset;
  if (!job.conf_error.empty())
    view.trouble = job.conf_error;
  else if (job.log_error != 0)
    view.trouble = std::string("log: ") + std::strerror(job.log_error);
  else if (!job.conf_trouble.empty())
    view.trouble = job.conf_trouble;
  else if (!instance.online() && !instance.silent() && record.wanted)
    view.trouble = "the instance is not running (usvc init)";
  return view;
}

Result<JobsReply> list_jobs(Instance& instance, const std::vector<std::string>& selectors) {
  instance.find_new_confs();
  instance.notice_edited_confs();
  JobsReply reply;
  reply.troubles = instance.troubles();
  if (!selectors.empty()) {
    auto jobs = instance.select(selectors);
    if (!jobs) return pass(jobs);
    for (const auto& job : *jobs) reply.jobs.push_back(view_of(instance, *job));
    return reply;
  }
  std::vector<std::shared_ptr<Job>> all;
  for (const auto& [name, job] : instance.jobs()) all.push_back(job);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return natural_less(a->name, b->name); });
  for (const auto& job : all) reply.jobs.push_back(view_of(instance, *job));
  return reply;
}

VarsView vars(Instance& instance) {
  const Layout& layout = instance.layout();
  VarsView view;
  view.version = own_version();
  view.home = layout.home;
  view.socket = layout.socket;
  view.tmux_socket = layout.tmux_socket;
  view.jobs_dir = layout.jobs_dir;
  view.logs_dir = layout.logs_dir;
  view.journal_dir = layout.journal_dir;
  view.work_dir = layout.work_dir;
  view.settings = layout.settings;
  view.instance_log = layout.instance_log;
  if (!instance.online()) {
    if (const auto keeper = last_process(layout.keeper_pid, "usvc-keeper")) view.keeper_pid = keeper->pid;
    if (const auto manager = last_process(layout.manager_pid, "usvc-manager")) view.manager_pid = manager->pid;
    return view;
  }
  view.manager_pid = ::getpid();
  if (instance.keeper().has_keeper()) view.keeper_pid = instance.keeper().keeper_pid();
  view.keeper_version = instance.keeper().keeper_version();
  view.started_at = instance.started_at();
  if (!instance.cgroup_parent().empty()) view.cgroup = instance.cgroup_parent();
  return view;
}

Result<std::shared_ptr<Job>> one_job(Instance& instance, const std::string& name) {
  if (auto job = instance.find(name)) return job;
  auto jobs = instance.select({name});
  if (!jobs) return pass(jobs);
  if (jobs->size() == 1 && jobs->front()->conf && jobs->front()->conf->group == name) return jobs->front();
  return fail(Error("'" + name + "' is not one job", ErrorKind::no_match).hint("name one, like " + (*jobs)[0]->name));
}

Result<ConfView> show_conf(Instance& instance, const std::string& name) {
  instance.find_new_confs();
  auto job = one_job(instance, name);
  if (!job) return pass(job);
  auto entries = load_conf_entries(instance.layout(), (*job)->name);
  if (!entries) return pass(entries);
  ConfView view;
  view.name = (*job)->name;
  view.path = instance.layout().conf_path(view.name);
  for (const auto& entry : *entries) view.entries.push_back({entry.key, entry.has_value ? entry.value : "true"});
  return view;
}

Result<ConfView> change_conf(Instance& instance, const std::string& name, const ConfChange& change) {
  auto job = one_job(instance, name);
  if (!job) return pass(job);
  if (change.entry == "log") {
    if (auto own = check_log_is_own(instance, change.value, {(*job)->name}); !own) return pass(own);
  }
  if (auto set = set_conf(instance.layout(), (*job)->name, change.entry, change.value); !set) return pass(set);
  return show_conf(instance, (*job)->name);
}

}  // namespace usvc
