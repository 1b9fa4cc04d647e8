// All that a log holds, old, compressed and live files as one stream of bytes, each with its position (log/index.h).
//
// What a file's index does not say follows from its neighbours: a file without a header begins where the one before it
// ends. Files are looked into from the live one backwards and only as far as is asked for, so that a look at the end
// costs the same however much lies before it.
//
// The stream may have gaps (files that were given up to save space); reading goes on behind them.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "job/layout.h"
#include "log/files.h"
#include "log/index.h"
#include "log/source.h"

namespace usvc {

// Positions from `begin` up to but not including `end`.
struct Span {
  static constexpr std::uint64_t no_end = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t begin = 0;
  std::uint64_t end = no_end;
  bool operator==(const Span&) const = default;
};

class LogHistory {
 public:
  // A line may be so long; what is longer counts as several.
  static constexpr std::size_t longest_line = std::size_t{16} << 20U;
  using Warn = std::function<void(const std::string& message)>;

  // `warn` hears, once for each file, of what can't be read or told. A log without any file is an empty one.
  static Result<LogHistory> open(const Layout& layout, std::string log, Warn warn);

  [[nodiscard]] const std::string& log() const { return log_; }
  Result<std::uint64_t> begin();
  [[nodiscard]] Result<std::uint64_t> end();

  // Appends some of the bytes from `position` on to `out`, `most` of them at most and none of those at `end` or beyond,
  // and moves `position` behind them; false: there are no more for now.
  Result<bool> read(std::uint64_t& position, std::uint64_t end, std::string& out, std::size_t most = LogSource::chunk);
  // The beginning of the last `lines` lines within the span; one without its newline counts too.
  Result<std::uint64_t> tail(std::size_t lines, Span span);
  // The beginning and the end of the line that has this position, which may be its beginning itself.
  Result<std::uint64_t> line_begin(std::uint64_t position);
  Result<std::uint64_t> line_end(std::uint64_t position);

  // Where to begin so that nothing is left out that came at `time_us` or later; the end: nothing has come since. Of a
  // file that can't tell all is meant.
  Result<std::uint64_t> since(std::int64_t time_us);
  // Where that begins which came later; the largest number: nothing is known to.
  Result<std::uint64_t> until(std::int64_t time_us);
  // Where a run's output lies; the highest number where several have the same, or the one with that nonce. Negative
  // numbers count from the last run: -1. Nothing: it is not known.
  Result<std::optional<Span>> run(std::int64_t number, std::optional<std::uint32_t> nonce = {});
  // When the byte at a position came, and from which run, as far as is known.
  Result<std::optional<Mark>> at(std::uint64_t position);

  // Where within the span the terminal had got another size, as far as that was marked.
  Result<std::vector<std::uint64_t>> resized(Span span);

  // Takes notice of what became of the files since: growth, rotation, truncation, replacement. `position` is what was
  // read up to; returned is where to go on. It may have to be called again when that is reached.
  Result<std::uint64_t> catch_up(std::uint64_t position);
  // So many bytes read() and catch_up() have passed over, since this was asked last, because the files that they were
  // in had gone or could not be read.
  std::uint64_t take_missed() { return std::exchange(missed_, 0); }
  // Something could not be read, and `warn` was told.
  [[nodiscard]] bool left_out() const { return left_out_; }

 private:
  struct Part {
    LogFile file;
    std::optional<LogSource> source;
    bool gone = false;  // it was there when the files were listed
    std::optional<LogIndex> index;
    std::uint64_t index_read = 0;  // bytes of the index file
    std::optional<std::uint64_t> base;
    bool warned = false;
  };
  // A search from the end towards the beginning.
  struct LineSearch {
    std::size_t wanted = 1;
    bool last_counts = false;  // a newline just before the end is one to be found
    Span span;
    std::uint64_t line_end = 0;  // of the line that is being looked for
  };

  LogHistory(Layout layout, std::string log, Warn warn)
      : layout_(std::move(layout)), log_(std::move(log)), warn_(std::move(warn)) {}
  Status list();
  void take(const std::vector<LogFile>& files, std::optional<LogSource> live_source);
  Part& live() { return parts_.back(); }
  void warn_once(Part& part, const std::string& why);
  void leave_out(Part& part, const std::string& why);
  Result<LogSource*> source_of(Part& part);
  Result<std::uint64_t> size_of(Part& part);
  // Of a large one its newest part may do.
  enum class Want { newest, whole };
  Result<const LogIndex*> index_of_part(Part& part, Want want = Want::newest);
  Result<bool> read_on_index(Part& part);
  Result<bool> is_untimed(Part& part);
  using FindMark = std::optional<std::uint64_t> (LogIndex::*)(std::int64_t time_us) const;
  Result<std::optional<std::uint64_t>> find_mark(Part& part, FindMark find, std::int64_t time_us);
  Result<std::uint64_t> base_of(std::size_t number);
  Result<std::optional<std::uint64_t>> base_told_by_next(std::size_t number);
  Result<std::uint64_t> end_of(std::size_t number);
  Result<std::size_t> part_at(std::uint64_t position);
  Result<std::string_view> read_part(std::size_t number, std::uint64_t offset, std::size_t most);
  Result<std::string> read_whole(std::size_t number, std::uint64_t offset, std::size_t size);
  Result<std::uint64_t> find_line(LineSearch search);
  Result<std::optional<std::uint64_t>> find_in_part(std::size_t number, Span span, LineSearch& search);
  Result<std::uint64_t> same_file_goes_on(std::uint64_t position, const FileIdentity& held);
  Result<std::uint64_t> successor_of(const FileIdentity& held, std::uint64_t position);

  Layout layout_;
  std::string log_;
  Warn warn_;
  std::vector<Part> parts_;  // oldest first; never empty once listed
  std::uint64_t missed_ = 0;
  bool left_out_ = false;
  bool cut_seen_ = false;  // the live file was found cut, and its index does not say so yet
};

// For whoever was to show all of it.
Error missed_output(const std::string& log, std::uint64_t bytes);

}  // namespace usvc
