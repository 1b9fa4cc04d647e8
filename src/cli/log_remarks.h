// usvc's own remarks between the lines of logs: what happened to the jobs, from the journal.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/watch.h"
#include "cli/context.h"
#include "journal/reader.h"

namespace usvc {

class LogRemarks {
 public:
  static constexpr std::int64_t end_of_time = std::numeric_limits<std::int64_t>::max();

  // Events before `since_us` are not looked for.
  LogRemarks(const Context& context, std::int64_t since_us);

  // From then on it is spoken of; with a run id only of that run.
  void add_job(const std::string& name, std::int64_t from_us, std::int64_t to_us, std::string run_id);
  Status read();
  // The same, and `watch` tells when there is more.
  Status follow(Watch& watch);
  // The next one that belongs before a line of that time. An exit belongs behind all that its run wrote, which is in
  // the log only when the next thing happens to the job; if nothing has, behind all there is.
  std::optional<std::string> take(std::int64_t time_us);
  // Whether a run began since this was asked last: of a job that is not known yet, perhaps.
  bool take_begun() { return std::exchange(begun_, false); }

 private:
  struct Remark {
    std::int64_t time_us = 0;  // where it belongs
    std::string text;
  };
  struct Job {
    std::int64_t from_us = 0;
    std::int64_t to_us = 0;
    std::string run_id;
    std::optional<std::int64_t> starting_us;  // its run has only just begun
    std::optional<std::string> exit;          // not placed yet
  };
  Status add(const Event& event);
  void place(Job& job, std::int64_t time_us, const Event& event);
  void release_exits();

  JournalReader reader_;
  std::map<std::string, Job, std::less<>> jobs_;
  std::vector<Remark> remarks_;  // the next one last, once sorted
  bool begun_ = false;
};

// "web exited: exit 1 after 3.2 s -- 2026-11-22 10:00:00"; empty: nothing worth a remark.
std::string remark_words(const Event& event);

}  // namespace usvc
