// Reads and follows the journal: JOURNAL_DIR/NNNNNNNN.jsonl, numbers increasing, the highest being written. A segment
// appears by rename, complete so far as its beginning goes, and is never written again once a higher one exists.
// A line that is torn or no event is skipped; the first of each segment is warned about.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "base/lines.h"
#include "base/watch.h"
#include "shapes/event.h"

namespace usvc {

// "00000042.jsonl" -> 42; anything else is no segment.
std::optional<std::uint64_t> segment_number(std::string_view file_name);

class JournalReader {
 public:
  using Sink = std::function<Status(const Event& event, std::string_view line)>;
  using Warn = std::function<void(const std::string& message)>;

  JournalReader(std::string dir, Warn warn) : dir_(std::move(dir)), warn_(std::move(warn)) {}

  // Leaves out whole segments that end before that moment; single older lines may still come.
  Status skip_before(double t);
  // Hands every complete line that is there and has not been handed out to `sink`; a failing sink ends it.
  // No journal at all is an empty one.
  Status read(const Sink& sink);
  // The same, and afterwards `watch` tells when there is more.
  Status follow(Watch& watch, const Sink& sink);

 private:
  [[nodiscard]] Result<std::optional<std::uint64_t>> next_segment() const;
  Status begin_segment(std::uint64_t number);
  Status read_on(const Sink& sink);
  Status take(std::string_view line, const Sink& sink);
  void complain(const std::string& why);
  [[nodiscard]] std::string path_of(std::uint64_t number) const;

  std::string dir_;
  Warn warn_;
  std::uint64_t number_ = 0;  // of the segment in hand; 0: none yet
  std::uint64_t watched_ = 0;
  Fd file_;
  LineSplitter lines_;
  std::uint64_t line_number_ = 0;
  bool complained_ = false;
};

}  // namespace usvc
