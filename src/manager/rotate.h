// Logs get new files: when they are full, when somebody asks, and when somebody else has moved or removed them.
//
// Each step leaves a state that any manager goes on from (decision 0012):
//   1. the capture has paused all that write to the log; what they write waits in their pipes
//   2. the log's index is renamed, then the log
//   3. the next log is made, then its index, which says at which position it begins
//   4. the keeper holds the new log in place of the old one, for each run
//   5. the capture goes on with the new one; the old one may be compressed
// Until 4 everybody, a keeper that is left alone included, goes on writing to the old file, whatever it is called by
// then. A manager that finds a run whose log has another name now, or none, does what is left of 2 and 3, and 4.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "log/archive.h"
#include "log/capture.h"
#include "log/source.h"
#include "manager/run.h"
#include "manager/wakeup.h"

namespace usvc {

class Instance;
struct Job;

class Rotator {
 public:
  explicit Rotator(Instance* instance);

  // Of a run that is about to be captured: has it write to the files that bear its logs' names now.
  void settle(Run& run);
  // A log that the capture has paused, or was asked about.
  void begin(Rotation rotation);
  // On demand: the rotated file's path; empty for a log that is empty.
  asio::awaitable<Result<std::string>> rotate(std::string path);
  // Has what is left of earlier rotations seen to, once all runs are adopted.
  void see_to_all();
  void tell_unindexed(const std::string& path, const std::string& why);
  [[nodiscard]] std::unique_lock<std::mutex> hold_archive() { return archive_.hold(); }

 private:
  struct Turn {
    Rotation rotation;
    bool renewed = false;
    std::string renamed_to;  // empty: somebody else had done that
  };
  struct Waiting {
    Waiting(std::string log, asio::io_context& io) : path(std::move(log)), wakeup(io) {}
    std::string path;
    Wakeup wakeup;
    std::optional<Result<std::string>> answer;
  };
  // One run's descriptor for the log in question.
  struct Writer {
    Run* run;
    bool error;
    [[nodiscard]] Fd& log() const { return error ? run->error_log : run->log; }
  };

  [[nodiscard]] std::vector<Writer> writers_to(const std::string& path);
  [[nodiscard]] std::string job_of(const std::string& path) const;
  // Steps 2 and 3, for the file that was written to so far.
  Result<Fd> renew(const std::string& path, std::optional<FileIdentity> written, std::uint64_t position,
                   std::string* renamed_to);
  Result<LogFile> next_name(const std::string& path);
  void restore_index(const std::string& path) const;
  void settle_one(const Writer& writer, const std::string& path);
  asio::awaitable<void> run(Rotation rotation);
  asio::awaitable<Status> renew_and_switch(Turn* turn);
  void conclude(const Turn& turn, const Status& done);
  // Compresses and removes old files up to that number, unless a run still writes to a file that has been renamed.
  void see_to(const std::string& path, std::uint32_t up_to);
  [[nodiscard]] Archive::Task task_for(const Job& job, const std::string& path);
  void tell_rotated(const std::string& job, const std::string& what);

  Instance& instance_;
  std::string settings_error_;  // as told last
  Archive archive_;
  std::list<Waiting> waiting_;
  std::map<std::string, std::uint32_t> last_numbers_;  // given by this manager
  std::set<std::string> unindexed_;                    // told
  std::set<std::string> failed_;                       // told, and not yet done since
};

}  // namespace usvc
