// A live log as the capture has it in hand: where it ends, its index, and when it is due to be rotated. The runs of one
// job share it, and so do jobs whose confs name the same file.
//
// Rotation (decision 0012): once the log has its full size it goes on to the end of a line, or for 64 KiB more. Then
// all who write to it wait, its owner gives it a new file, and they go on there. The same comes of a log that somebody
// has moved or removed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.h"
#include "log/index.h"

namespace usvc {

struct LogPlace {
  std::string path;                 // empty: it has no index and is never rotated
  std::uint64_t next_position = 0;  // of the first byte, where there is no index yet
  std::uint64_t max_size = 0;       // 0: any
};

enum class Due {
  no,
  full,
  asked,
  gone,  // somebody has moved or removed it
};

class LiveLog {
 public:
  // How far it goes on for the sake of a line's end.
  static constexpr std::uint64_t line_patience = std::uint64_t{64} << 10U;

  LiveLog(LogPlace place, FdRef log, const std::optional<RunStart>& began = {});

  [[nodiscard]] const std::string& path() const { return place_.path; }
  // Why it has no index; empty: it has one, or is to have none.
  [[nodiscard]] const std::string& index_error() const { return index_error_; }
  // Of the next byte.
  [[nodiscard]] std::uint64_t next_position() const;
  // Another run begins, whose conf may say something else.
  void set_max_size(std::uint64_t size) { place_.max_size = size; }

  // How much may be written at once, at most `limit`.
  [[nodiscard]] std::size_t room(std::size_t limit) const;
  // What is written now is to end with the line.
  [[nodiscard]] bool ending() const { return asked_ || (place_.max_size > 0 && end_ >= threshold()); }
  // A run has written so much through this descriptor.
  void wrote(FdRef log, std::size_t bytes, std::uint32_t run, std::uint32_t nonce, bool at_line_end);
  // The terminal that it is written from has got another size.
  void resized();
  void ask() { asked_ = true; }
  // To be asked after each batch.
  [[nodiscard]] Due due() const;

  // Its new file is this one; or the old one, when that could not be made: it is tried again after 1 MB.
  void begin(FdRef log, std::uint64_t next_position);
  void go_on();

  bool paused = false;  // waits for its new file

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::uint64_t threshold() const { return std::max(place_.max_size, retry_at_); }
  [[nodiscard]] std::uint64_t position(std::uint64_t offset) const;
  void look(FdRef log);
  void open_index();

  LogPlace place_;
  std::optional<IndexWriter> index_;
  std::string index_error_;
  std::uint64_t end_ = 0;
  std::uint64_t retry_at_ = 0;  // after a rotation that failed: the size at which it is tried again
  std::uint64_t gone_retry_at_ = 0;
  std::optional<RunStart> began_;  // the run that wrote last: an index made anew is to tell of it too
  bool at_line_end_ = false;
  bool asked_ = false;
  bool gone_ = false;
  Clock::time_point look_at_;
};

}  // namespace usvc
