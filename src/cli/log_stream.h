// The lines of one log, one after the other, each with its time and run.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/log_options.h"
#include "log/history.h"

namespace usvc {

struct LogLine {
  std::string_view text;  // without its newline
  bool ended = true;      // it has one; else it is a part, or its run ended without
  std::optional<std::int64_t> time_us;
  std::uint32_t run = 0;  // 0: not known
  std::uint32_t nonce = 0;
};

// Which run is meant, of all that have its number.
struct RunChoice {
  std::int64_t number = 0;
  std::optional<std::uint32_t> nonce;
};

class LogStream {
 public:
  // `options` outlives it.
  LogStream(LogHistory history, const LogOptions& options) : history_(std::move(history)), options_(&options) {}

  // Goes to where the options say that it begins; false: it has no such run.
  Result<bool> select(const std::optional<RunChoice>& run);
  // The number of the last run that has written something; 0: none has.
  Result<std::int64_t> last_run();
  // Goes behind all there is, where the run with that number, which select() has not found, has written nothing; false:
  // its output may have been in a file that is gone.
  Result<bool> select_silent(std::int64_t number);
  // Where the run that select() went to seems to begin, when nothing of the log is left before that.
  Result<std::optional<std::uint64_t>> first_of_run();
  // The run that line or position belongs to which select() went to.
  Result<std::optional<Mark>> mark_at_begin() { return history_.at(span_.begin); }
  // Goes behind all there is.
  Status skip_all();
  // Whether select() left something out at the beginning.
  Result<bool> begins_later();

  // Goes to the next line that is wanted; false: there is none, or it is not whole yet and `rest` is not asked for.
  Result<bool> next(bool rest);
  [[nodiscard]] const LogLine& line() const { return line_; }
  // What there is of the line that next() waits for.
  [[nodiscard]] std::string_view unfinished() const { return std::string_view(buffer_).substr(begin_); }
  // Appends bytes as they are; false: no more for now.
  Result<bool> read(std::string& out) { return history_.read(span_.begin, span_.end, out); }
  // Takes notice of what is new; true: reading goes on elsewhere. Where the index does not know yet when what is new
  // came, it came now.
  Result<bool> catch_up(std::int64_t now_us);
  std::uint64_t take_missed() { return history_.take_missed(); }
  [[nodiscard]] bool left_out() const { return history_.left_out(); }
  [[nodiscard]] const std::string& path() const { return history_.log(); }

 private:
  Result<bool> find_line(bool rest);
  [[nodiscard]] std::uint64_t line_position() const;
  Status end_with_run();
  Result<std::deque<std::uint64_t>> run_begins(std::uint64_t first, std::uint64_t last);
  Result<std::uint64_t> line_begin(std::uint64_t position);
  Result<std::uint64_t> line_end(std::uint64_t position);
  Result<std::uint64_t> last_lines(std::size_t lines);
  void forget_read();
  Status look_up();
  Result<std::uint64_t> last_matching(std::size_t lines);
  Result<std::deque<std::uint64_t>> matches_within(Span span, std::size_t lines);

  LogHistory history_;
  const LogOptions* options_;
  Span span_;           // what is still to be read
  std::string buffer_;  // read, and not handed out
  std::size_t begin_ = 0;
  std::size_t scanned_ = 0;  // no newline between begin_ and here
  LogLine line_;
  std::optional<std::int64_t> now_us_;     // when it was caught up with, and
  std::optional<std::int64_t> looked_us_;  // the time before
};

}  // namespace usvc
