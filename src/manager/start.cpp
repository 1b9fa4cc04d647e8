#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/fault_point.h"
#include "base/files.h"
#include "base/text.h"
#include "job/names.h"
#include "job/options.h"
#include "manager/attainable.h"
#include "manager/conf_store.h"
#include "manager/operations.h"
#include "manager/pile_up.h"
#include "manager/reserved_names.h"
#include "manager/terminal.h"

namespace usvc {

namespace {

constexpr std::int64_t most_copies = 10'000;

Result<Conf> conf_of(const StartRequest& request) {
  std::vector<ConfEntry> entries;
  for (const auto& entry : request.entries) {
    ConfEntry line;
    line.key = entry.key;
    line.value = entry.value;
    entries.push_back(std::move(line));
  }
  auto conf = conf_from_entries(entries);
  if (!conf) return fail(std::move(conf).error().as(ErrorKind::usage));
  if (conf->cmd.empty() || conf->cmd.front() != '/') return fail("cmd must be an absolute path", ErrorKind::usage);
  conf->group = request.group.value_or(group_from_command(conf->cmd));
  if (auto good = check_group_name(conf->group); !good) return pass(good);
  if (request.name) {
    if (auto good = check_job_name(*request.name); !good) return pass(good);
    if (request.copies != 1) return fail("one name for several copies (use -g GROUP)", ErrorKind::usage);
  }
  if (request.copies < 1 || request.copies > most_copies) {
    return fail(Error("there cannot be " + std::to_string(request.copies) + " copies of a job", ErrorKind::usage)
                    .hint("1 to " + std::to_string(most_copies)));
  }
  return conf;
}

Status check_input(const StartRequest& request, const Conf& conf, const Fd& input) {
  if (!request.input.value_or(false)) return {};
  if (conf.tty || request.copies != 1) return fail("input is for one copy without a terminal", ErrorKind::usage);
  if (input) return {};
  return fail(Error("the program's input did not arrive").hint("the manager may have no descriptors left: ulimit -Hn"));
}

// Behind the entries of the caller's shell, of which the directory is the last.
std::ptrdiff_t asked_for(const std::vector<EntryView>& entries) {
  const auto cwd =
      std::find_if(entries.begin(), entries.end(), [](const EntryView& entry) { return entry.key == "cwd"; });
  return cwd == entries.end() ? 0 : std::distance(entries.begin(), cwd) + 1;
}

// What the shell has, the job gets as far as it can be had.
Status check_asked(const StartRequest& request, const Conf& conf) {
  const auto& entries = request.entries;
  for (auto entry = entries.begin() + asked_for(entries); entry != entries.end(); ++entry) {
    if (auto had = check_attainable(conf, entry->key, entry->value); !had) return had;
  }
  return {};
}

// What usvc.conf says goes behind what the caller's shell has (the conf's first lines, up to the directory) and before
// what was asked for: of two values a conf takes the last. Of a key that may stand several times it counts only where
// none was asked for.
Status add_defaults(Instance& instance, StartRequest& request) {
  const Result<Settings>& settings = instance.settings();
  if (!settings) return fail(settings.error());
  auto& entries = request.entries;
  const auto is = [](std::string_view key) { return [key](const EntryView& entry) { return entry.key == key; }; };
  const auto overruled = [&entries](std::string_view key) {
    return std::any_of(entries.begin(), entries.end(), [key](const EntryView& entry) {
      const Option* asked = find_option(entry.key);
      return asked != nullptr && asked->overrules == key;
    });
  };
  const auto behind = asked_for(entries);
  std::vector<EntryView> defaults;
  for (const auto& [key, value] : settings->start) {
    if (key == "group") {
      if (!request.group) request.group = value;
    } else if (overruled(key)) {
      continue;
    } else if (key == "limit" || !find_option(key)->repeatable ||
               std::none_of(entries.begin(), entries.end(), is(key))) {
      defaults.push_back({key, value});
    }
  }
  entries.insert(entries.begin() + behind, defaults.begin(), defaults.end());
  return {};
}

// The names this request stands for: those it had got before its answer was lost, then free ones.
Result<std::vector<std::string>> names_for(Instance& instance, const StartRequest& request, const Conf& conf) {
  auto names = made_before(instance, request.key);
  if (request.name) {
    const bool taken = instance.find(*request.name) || instance.reserved_names.contains(*request.name);
    if (names.empty() && taken) {
      return fail(Error("a job named '" + *request.name + "' exists already")
                      .hint("usvc start " + *request.name + " starts it, usvc clean " + *request.name + " forgets it"));
    }
    return std::vector<std::string>{*request.name};
  }
  std::set<std::string, std::less<>> taken(names.begin(), names.end());
  for (const auto& [name, job] : instance.jobs()) taken.insert(name);
  taken.insert(instance.reserved_names.begin(), instance.reserved_names.end());
  int number = lowest_free(conf.group, taken);
  while (names.size() < static_cast<std::size_t>(request.copies)) {
    std::string name = member_name(conf.group, number++);
    if (taken.contains(name)) continue;
    if (auto good = check_job_name(name); !good) return pass(good);
    names.push_back(std::move(name));
  }
  return names;
}

struct Plan {
  std::optional<Conf> conf;  // none: all are there
  std::vector<std::string> names;
};

// What was done before its answer was lost is neither judged nor completed anew: usvc.conf may be another one by now.
Result<Plan> plan_of(Instance& instance, StartRequest& request, const Fd& input) {
  instance.find_new_confs();
  Plan plan;
  plan.names = made_before(instance, request.key);
  const bool all_there = std::all_of(plan.names.begin(), plan.names.end(),
                                     [&](const std::string& name) { return instance.find(name) != nullptr; });
  if (all_there && !plan.names.empty() && std::cmp_equal(plan.names.size(), request.copies)) return plan;
  if (auto settled = add_defaults(instance, request); !settled) return pass(settled);
  auto conf = conf_of(request);
  if (!conf) return pass(conf);
  if (auto good = check_input(request, *conf, input); !good) return pass(good);
  if (auto had = check_asked(request, *conf); !had) return pass(had);
  auto names = names_for(instance, request, *conf);
  if (!names) return pass(names);
  if (auto own = check_log_is_own(instance, conf->log, *names); !own) return pass(own);
  plan.conf = std::move(*conf);
  plan.names = std::move(*names);
  return plan;
}

// A command that could never be executed leaves nothing behind: there is nothing to try again.
asio::awaitable<void> forget_stillborn(Instance* instance, const Outcome* outcome) {
  const auto job = instance->find(outcome->name);
  if (!job) co_return;
  const JobRecord& record = instance->record_of(*job);
  const bool stillborn = !outcome->ok && record.runs <= 2 && record.last_exit && record.last_exit->reason &&
                         !record.last_exit->code && !record.last_exit->signal;
  if (!stillborn) co_return;
  if (!set_wanted(*instance, job->name, Wanted::no, "")) co_return;  // it stays, and is tried again
  job->post(JobEvent::stop);
  Wakeup wakeup(instance->io());
  Watching watching(&wakeup);
  watching.add(job);
  const auto given_up = [&] { return job->removed || instance->record_of(*job).wanted; };  // somebody has started it
  while (!given_up() && !job->idle()) co_await wakeup.wait();
  if (!given_up()) (void)forget_job(*instance, job);
}

}  // namespace

Error not_made(const Instance& instance) {
  return Error(instance.shutting_down ? being_shut_down : "was forgotten meanwhile");
}

Outcome creation_failed(const std::string& name, const Error& error) {
  Outcome outcome;
  outcome.name = name;
  outcome.ok = false;
  outcome.message = error.bare_message();
  outcome.hint = error.hint();
  return outcome;
}

std::vector<std::string> made_before(const Instance& instance, const std::string& key) {
  std::vector<std::string> names;
  if (const SeenRequest* seen = instance.seen(key)) names = seen->jobs;
  std::sort(names.begin(), names.end(), natural_less);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool acted_on(const Instance& instance, const std::string& key, const std::string& job) {
  const SeenRequest* seen = instance.seen(key);
  return seen != nullptr && std::find(seen->jobs.begin(), seen->jobs.end(), job) != seen->jobs.end();
}

Status set_wanted(Instance& instance, const std::string& job, Wanted wanted, const std::string& key) {
  Event event;
  event.event = "wanted";
  event.job = job;
  event.wanted = wanted != Wanted::no;
  if (wanted == Wanted::anew) event.anew = true;
  if (!key.empty()) event.key = key;
  return instance.commit(std::move(event));
}

Status create_job(Instance& instance, const Conf& conf, const std::vector<std::string>& env, const std::string& key,
                  WindowSize window, Wanted wanted) {
  if (auto journaled = set_wanted(instance, conf.name, wanted, key); !journaled) return journaled;
  fault_point("manager.start-wanted");
  Status written = save_environment(instance.layout(), conf.name, env);
  if (written) written = save_conf(instance.layout(), conf);
  if (!written) {
    // Nothing of it stays, so that the next try starts from nothing.
    (void)remove_all(instance.layout().env_path(conf.name));
    Event cleaned;
    cleaned.event = "cleaned";
    cleaned.job = conf.name;
    instance.record(std::move(cleaned));
    return written;
  }
  fault_point("manager.conf-written");
  // Its life begins with what is wanted: to be told so once more would only cut short the wait after its first death.
  instance.add_job(conf.name, window, &conf);
  return {};
}

asio::awaitable<Outcomes> start_new(Instance* instance, StartRequest request, Fd input) {
  if (instance->shutting_down) co_return fail(being_shut_down);
  auto plan = plan_of(*instance, request, input);
  if (!plan) co_return pass(plan);
  const std::vector<std::string>& names = plan->names;
  OutcomesReply reply;
  std::vector<Begun> begun;
  std::optional<ReservedNames> reserved(std::in_place, instance, names);
  const WindowSize window = window_from(request.rows, request.columns).value_or(WindowSize{});
  for (const auto& name : names) {
    if (!instance->find(name)) {
      if (!plan->conf || instance->shutting_down) {
        reply.results.push_back(creation_failed(name, not_made(*instance)));
        continue;
      }
      plan->conf->name = name;
      // Before there is a job: from then on a kill of the manager can't part the two.
      Status created = input ? instance->hold_input(name, std::exchange(input, Fd())) : Status();
      if (created) created = create_job(*instance, *plan->conf, request.env, request.key, window);
      if (!created) {
        instance->drop_input(name);
        reply.results.push_back(creation_failed(name, created.error()));
        continue;
      }
    }
    begun.push_back({instance->find(name), 0});
    // The first ones start, and others are answered, while the files of the rest are being written.
    co_await let_others_in(&instance->io());
  }
  reserved.reset();
  request = {};  // it may be large, and is in the files now
  auto outcomes = co_await settle(instance, std::move(begun));
  for (auto& outcome : outcomes) {
    co_await forget_stillborn(instance, &outcome);
    if (!outcome.ok && !instance->find(outcome.name)) outcome.hint.reset();
    reply.results.push_back(std::move(outcome));
  }
  co_return reply;
}

asio::awaitable<Outcomes> start_known(Instance* instance, SelectRequest request) {
  if (instance->shutting_down) co_return fail(being_shut_down);
  instance->find_new_confs();
  auto jobs = instance->select(request.selectors);
  if (!jobs) co_return pass(jobs);
  OutcomesReply reply;
  std::vector<Begun> begun;
  for (const auto& job : *jobs) {
    co_await let_others_in(&instance->io());
    if (job->removed) continue;
    if (instance->shutting_down) {
      reply.results.push_back(creation_failed(job->name, not_made(*instance)));
      continue;
    }
    const JobRecord& record = instance->record_of(*job);
    const bool runs = job->state == JobState::starting || job->state == JobState::pre_run ||
                      job->state == JobState::running || job->state == JobState::stopping;
    if (acted_on(*instance, request.key, job->name)) {
      begun.push_back({job, std::max<std::int64_t>(record.runs - 1, 0)});
    } else if (!runs || !record.wanted) {
      // One whose run is just over is not to be left at that, whatever its restart policy.
      if (auto journaled = set_wanted(*instance, job->name, Wanted::anew, request.key); !journaled)
        co_return pass(journaled);
      begun.push_back({job, record.runs});
      job->post(JobEvent::start);
    } else if (job->state == JobState::stopping || record.anew) {
      begun.push_back(
          {job, record.runs});  // somebody has asked for its next run already: a restart, a stop and a start
    } else {
      Outcome already;
      already.name = job->name;
      already.message = "it was running already";
      already.skipped = true;
      if (job->run) already.pid = job->run->pid;
      reply.results.push_back(std::move(already));
    }
  }
  auto outcomes = co_await settle(instance, std::move(begun));
  for (auto& outcome : outcomes) reply.results.push_back(std::move(outcome));
  co_return reply;
}

}  // namespace usvc
