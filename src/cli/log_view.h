// The logs of jobs as one: merged by time, with what usvc itself has to say in between.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/context.h"
#include "cli/log_options.h"
#include "cli/log_printer.h"
#include "cli/log_remarks.h"
#include "cli/log_stream.h"
#include "cli/pager.h"
#include "shapes/views.h"

namespace usvc {

class LogView {
 public:
  // `options` outlives it. `words` are what the jobs were chosen by.
  LogView(const Context& context, const LogOptions& options, std::vector<std::string> words);

  // Before it is shown; an error (ErrorKind::failure) where a run is wanted that no job has.
  Status add_jobs(const std::vector<JobView>& jobs, const std::optional<RunChoice>& run);
  Status show();
  // Until Ctrl-C.
  Status follow();
  // Some of it could not be read, and was named.
  [[nodiscard]] bool left_out() const;

 private:
  struct Entry {
    std::size_t job = 0;
    OutputStream stream = OutputStream::standard;
    LogStream lines;
    bool has_line = false;
    std::int64_t time_us = 0;    // of its line; one whose time is not known goes with the one before it
    std::size_t unfinished = 0;  // so much there was of a line without its end
  };
  // A job's stderr, if it begins to be kept apart while it is followed.
  struct AwaitedLog {
    std::string path;
    std::size_t job = 0;
  };

  enum class Found { output, silence, nothing };
  // Goes to the run, whose number is then from the first on; without one to where the options say that it begins.
  static Result<Found> find_run(const JobView& job, LogStream& lines, std::optional<RunChoice>& run);
  Status add_job(const JobView& job, std::optional<RunChoice> run);
  Status add_new_jobs();
  Status add_error_log(const JobView& job, const std::optional<RunChoice>& run);
  Status add_awaited_logs();
  Result<std::unique_ptr<Entry>> make_entry(const std::string& log, std::size_t job, OutputStream stream);
  void make_remarks(std::int64_t until_us);
  Status look_for_beginning(const std::string& job, Entry& entry);
  Status speak_of(const JobView& job, Entry& entry, const std::optional<RunChoice>& run);
  [[nodiscard]] bool has_entry(const std::string& log) const;
  // Or will, once there is such a file.
  [[nodiscard]] bool awaits(const std::string& log) const;
  [[nodiscard]] bool untouched() const;
  Status next(Entry& entry, bool rest);
  Status merge(bool rest);
  Status put_remarks(std::int64_t up_to);
  Status pass_on_bytes();
  Status flush();
  Entry* still_written();
  Status show_unfinished();
  void erase_below(std::string& text);
  Result<bool> catch_up(Watch& watch);

  const Context* context_;
  const LogOptions* options_;
  std::vector<std::string> words_;
  bool remarks_shown_;
  bool beheaded_ = false;         // the beginning of a run that was asked for is lost
  bool whole_selection_ = false;  // a single job by its name: no other can come to it
  std::size_t jobs_ = 0;
  std::optional<LogPrinter> printer_;
  std::vector<std::unique_ptr<Entry>> entries_;
  struct Spoken {
    std::string name;
    std::int64_t from_us;
    std::string run_id;
  };
  std::vector<Spoken> spoken_;
  std::vector<AwaitedLog> awaited_;
  std::optional<LogRemarks> remarks_;
  bool within_line_ = false;  // of bytes that were passed on
  // What stands below all lines that are whole, and from whom: the line that is being written just now.
  std::string below_;
  Entry* below_from_ = nullptr;
  PagedOutput output_;
};

}  // namespace usvc
