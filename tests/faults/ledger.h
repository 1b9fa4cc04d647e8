// What the jobs themselves noted (`probe begin`, `probe lines`), and what is wrong with a log or a journal held against
// it. Every check returns its complaints, none when all is well.
#pragma once

#include <sys/types.h>

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace usvc::test {

using Complaints = std::vector<std::string>;

struct Begin {
  pid_t pid = 0;
  std::string run;
};

class Ledger {
 public:
  // `directory` as given to the probe.
  explicit Ledger(std::string directory) : directory_(std::move(directory)) {}
  [[nodiscard]] const std::string& directory() const { return directory_; }

  [[nodiscard]] std::vector<Begin> begins(const std::string& job) const;
  // Starts that met another copy of the job.
  [[nodiscard]] std::vector<Begin> refused(const std::string& job) const;
  // The number of the last line that a process of the job has written for certain.
  [[nodiscard]] std::int64_t written(const std::string& job, pid_t pid) const;

  // Every numbered line is in the log once and in order. `cut`: the job's runs were cut off from their terminal or pipe
  // (keeper and manager were killed at once), so the last lines of each may be missing.
  [[nodiscard]] Complaints check_log(const std::string& job, const std::string& log, bool cut) const;
  // Each run of the job that is over has exactly one of these "exited" events.
  struct Exits {
    std::vector<std::string> ends;  // allowed: "TERM", "7", and "unknown"
    bool cpu = true;                // CPU time must be told
  };
  [[nodiscard]] Complaints check_exits(const std::string& job, const std::vector<boost::json::object>& exited,
                                       const Exits& expected) const;

 private:
  [[nodiscard]] std::vector<Begin> noted(const std::string& job, const std::string& what) const;

  std::string directory_;
};

// "TERM", "7" or "unknown".
std::string end_of(const boost::json::object& exited);

}  // namespace usvc::test
