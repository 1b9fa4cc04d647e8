// One job as the manager has it in hand.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/window_size.h"
#include "job/adopt.h"
#include "job/conf.h"
#include "job/step.h"
#include "manager/run.h"
#include "manager/wakeup.h"
#include "shapes/record.h"

namespace usvc {

class Life;

// Somebody who looks at a job's terminal.
struct Viewer {
  bool may_type = true;
  std::optional<WindowSize> size;
};

// What is left of a job that was cleaned, for whoever still asks how its last run went.
struct CleanedJob {
  std::int64_t runs = 0;
  std::optional<std::string> run_id;
  std::optional<ExitView> exit;  // of that run
  std::optional<std::int64_t> log_offset;
  std::optional<std::int64_t> error_log_offset;
  std::string log;  // where the clean has put it
  std::string error_log;
};

struct Job {
  Job(asio::io_context& io, std::string job_name);
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  const std::string name;
  JobState state = JobState::stopped;
  Wakeup::Clock::time_point running_since;  // while it is `running`; as far as this manager has seen it
  // As read last; none when it can't be used. Without what is the job's own, its name and the usual log (see
  // Instance::log_path_of), so that the copies of a group share one.
  std::shared_ptr<const Conf> conf;
  std::string conf_error;
  FileStamp conf_stamp;             // of the conf that was looked at last
  bool conf_settled = false;        // since then it can't have been changed without another stamp
  bool conf_follows_stamp = false;  // `conf` is what that file says, and it includes no other
  bool conf_just_written = false;   // from `conf`, and not looked at since
  std::string conf_trouble;         // why the conf could not be read any more, which the job's next start is going to
  std::optional<Run> run;
  Resume resume = Resume::rest;               // where its life begins when it is an earlier manager's
  bool killed = false;                        // the last stop had to use SIGKILL
  bool begun = false;                         // its life has
  bool removed = false;                       // cleaned: its life ends
  std::shared_ptr<const CleanedJob> cleaned;  // then
  int log_error = 0;                          // errno of a log that can't be written now
  std::string trouble;                        // what else needs a look

  WindowSize window;           // of its terminal: the next run begins with it
  std::list<Viewer*> viewers;  // who typed last comes first; see manager/terminal
  bool redrawing = false;      // its window is smaller than it should be, for a moment

  // What has happened and not yet been looked at by the job's life.
  std::vector<JobEvent> events;
  Wakeup wakeup;
  std::unique_ptr<Life> life;

  // Told of every change of this job.
  std::vector<Wakeup*> watchers;

  // The conf, or the defaults for a job that lives although its conf can't be read any more.
  [[nodiscard]] const Conf& conf_or_defaults() const {
    static const Conf defaults;
    return conf ? *conf : defaults;
  }
  // As it was looked at last.
  [[nodiscard]] bool conf_is_wrong() const { return !conf_error.empty() || !conf_trouble.empty(); }
  // `conf` is what the file says for as long as that has the same stamp.
  [[nodiscard]] bool conf_stands() const {
    return conf_follows_stamp && (conf_settled || conf_just_written) && !conf_is_wrong();
  }
  // At rest it is invalid from when its conf is seen to be, not only from its next start; and no longer than that.
  [[nodiscard]] JobState known_state() const {
    if (state == JobState::stopped && !conf_trouble.empty()) return JobState::invalid;
    return state == JobState::invalid && conf && conf_trouble.empty() ? JobState::stopped : state;
  }
  // Nothing of it runs or is about to, and nothing is left of a run.
  [[nodiscard]] bool idle() const { return (state == JobState::stopped || state == JobState::invalid) && !run; }
  // When a job that is `running` has outlived its settle time.
  [[nodiscard]] Wakeup::Clock::time_point settled_at() const {
    return running_since + (conf ? conf->settle : Duration{});
  }

  // Before the conf with this stamp is read; or looked at only, for the next run.
  void note_conf(const FileStamp& stamp) {
    conf_stamp = stamp;
    conf_follows_stamp = conf_just_written = false;
    conf_settled = !may_change_unseen(stamp);
  }
  void post(JobEvent event) {
    events.push_back(event);
    wakeup.notify();
  }
  void changed() {
    for (Wakeup* watcher : watchers) watcher->notify();
  }
};

// Watches jobs for as long as it lives, which must be shorter than the wakeup's life. A job that is cleaned meanwhile
// is kept alive by it.
class Watching {
 public:
  explicit Watching(Wakeup* wakeup) : wakeup_(wakeup) {}
  ~Watching() {
    for (const auto& job : jobs_) std::erase(job->watchers, wakeup_);
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

  void add(const std::shared_ptr<Job>& job) {
    job->watchers.push_back(wakeup_);
    jobs_.push_back(job);
  }

 private:
  Wakeup* wakeup_;
  std::vector<std::shared_ptr<Job>> jobs_;
};

}  // namespace usvc
