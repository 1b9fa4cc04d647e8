#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/fault_point.h"
#include "base/files.h"
#include "base/time.h"
#include "log/disposal.h"
#include "log/files.h"
#include "manager/operations.h"
#include "manager/sweep.h"

namespace usvc {

namespace {

// A log of the user's own choice on another file system stays where they put it.
Status move(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT || errno == EXDEV) return {};
  return fail(Error::last("cannot move " + from + " to " + to));
}

// Under names that are no history of a later job's log.
Status move_files(const Layout& layout, const std::string& log, const std::string& old) {
  auto files = log_files(layout, log);
  if (!files) return pass(files);
  for (const auto& file : *files) {
    // Without its file: a manager was killed in between.
    const bool there = stamp_of(file.path).there;
    if (there ? !is_own_log(layout, file) : !is_log_index(file.index_path)) {
      // The index of one that no run has come to write to.
      if (file.number == 0 && is_log_index(file.index_path)) {
        if (auto removed = remove_all(file.index_path); !removed) return removed;
      }
      continue;
    }
    const std::string number = file.number == 0 ? "" : fmt::format(".{:06}", file.number);
    if (auto moved = move(file.path, old + number + (file.compressed ? std::string(compressed_log_end) : "")); !moved)
      return moved;
    if (auto moved = move(file.index_path, old + number + ".idx"); !moved) return moved;
    fault_point("manager.clean-file-moved");
  }
  return {};
}

// Where another job's conf, or its run, has the same file as its log, by whatever path.
bool is_shared(Instance& instance, const std::string& log, const Job& job) {
  for (const auto& [name, other] : instance.jobs()) {
    if (other.get() == &job) continue;
    auto paths = instance.log_paths_of(*other);
    if (other->run) paths.insert(paths.end(), {other->run->log_path, other->run->error_log_path});
    const auto same = [&](const std::string& path) { return path == log || same_file(path.c_str(), log.c_str()); };
    if (std::any_of(paths.begin(), paths.end(), same)) return true;
  }
  return false;
}

// A log that others write to stays. That of a job called NAME.err has the same name as the stderr's of NAME.
Status move_log(Instance& instance, const Job& job, CleanedJob& cleaned) {
  const auto held = instance.rotator().hold_archive();
  const std::string log = instance.log_path_of(job);
  cleaned.log = log;
  cleaned.error_log = error_log_of(log);
  std::string stamp = format_time(unix_now());
  std::replace(stamp.begin(), stamp.end(), ' ', 'T');
  std::erase(stamp, ':');
  const std::string old = instance.layout().old_logs_dir + "/" + job.name;
  std::string end = ".log." + stamp;
  // Two of one name in one second.
  for (int n = 2; ::access((old + end).c_str(), F_OK) == 0; ++n) end = ".log." + stamp + "." + std::to_string(n);
  for (const auto& [path, to] :
       {std::pair(&cleaned.error_log, fmt::format("{}.err{}", old, end)), std::pair(&cleaned.log, old + end)}) {
    if (is_shared(instance, *path, job)) continue;
    if (auto moved = move_files(instance.layout(), *path, to); !moved) return moved;
    if (::access(to.c_str(), F_OK) == 0) *path = to;
  }
  return {};
}

// The conf goes first: a job without one is none, whatever else a kill leaves lying about.
Status remove_files(const Layout& layout, const std::string& name) {
  for (const auto& path : {layout.conf_path(name), layout.env_path(name), layout.work_path(name)}) {
    if (auto removed = remove_all(path); !removed) return removed;
    fault_point("manager.clean-conf-removed");
  }
  return {};
}

}  // namespace

Status forget_job(Instance& instance, const std::shared_ptr<Job>& job) {
  // Without an instance: a process that has outlived it would be forgotten with its job.
  if (auto none = no_survivor(instance, *job); !none) return fail(std::move(none).error().hint("usvc init ends it"));
  fault_point("manager.clean-recorded");
  CleanedJob cleaned;
  if (auto moved = move_log(instance, *job, cleaned); !moved) return moved;
  fault_point("manager.clean-log-moved");
  if (auto removed = remove_files(instance.layout(), job->name); !removed) return removed;
  instance.remove_job(job, std::move(cleaned));
  fault_point("manager.cleaned");
  return {};
}

namespace {

// Which jobs the request means: when it is asked again, those it meant the first time.
Result<std::vector<std::string>> names_meant(Instance& instance, const SelectRequest& request) {
  std::vector<std::string> names;
  const SeenRequest* seen = instance.seen(request.key);
  if (seen != nullptr) names = seen->jobs;
  auto jobs = instance.select(request.selectors);
  if (!jobs && names.empty()) return pass(jobs);
  if (!jobs) return names;
  for (const auto& job : *jobs) {
    if (std::find(names.begin(), names.end(), job->name) == names.end()) names.push_back(job->name);
  }
  return names;
}

// One whose life or next run is to begin in a moment is not.
bool at_rest(const Instance& instance, const Job& job) {
  const auto begins = [](JobEvent event) { return event == JobEvent::start || event == JobEvent::restart; };
  return !instance.online() || (job.idle() && job.begun && std::none_of(job.events.begin(), job.events.end(), begins));
}

Outcome left_alone(const Job& job, const SelectRequest& request) {
  const bool named = std::find(request.selectors.begin(), request.selectors.end(), job.name) != request.selectors.end();
  Outcome outcome;
  outcome.name = job.name;
  outcome.ok = !named;
  outcome.skipped = !named;
  outcome.message = job.state == JobState::waiting ? "it waits for its next start" : "it runs";
  outcome.hint = "usvc stop " + job.name;
  return outcome;
}

Status note_request(Instance& instance, const std::string& job, const std::string& key) {
  if (key.empty() || acted_on(instance, key, job)) return {};
  Event acted;
  acted.event = "request";
  acted.job = job;
  acted.key = key;
  return instance.commit(std::move(acted));
}

}  // namespace

asio::awaitable<Outcomes> clean_jobs(Instance* instance, SelectRequest request) {
  const auto names = names_meant(*instance, request);
  if (!names) co_return fail(names.error());
  // All of them are noted before the first one goes: asked again half-way, the answer is about all of them.
  for (const auto& name : *names) {
    const auto job = instance->find(name);
    if (!job || !at_rest(*instance, *job)) continue;
    if (auto noted = note_request(*instance, name, request.key); !noted) co_return pass(noted);
  }
  OutcomesReply reply;
  for (const auto& name : *names) {
    const auto job = instance->find(name);
    if (job && !at_rest(*instance, *job)) {
      reply.results.push_back(left_alone(*job, request));
      continue;
    }
    Outcome outcome;
    outcome.name = name;
    // Of one that is not there an earlier manager, killed half-way through it, may have left the rest.
    const Status forgotten = job ? forget_job(*instance, job) : remove_files(instance->layout(), name);
    if (!forgotten) {
      outcome.ok = false;
      outcome.message = forgotten.error().message();
    }
    reply.results.push_back(std::move(outcome));
  }
  co_return reply;
}

}  // namespace usvc
