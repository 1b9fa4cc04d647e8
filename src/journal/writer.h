// Appends to the journal. A line is written before what it tells is relied on; it is in the kernel's hands then, which
// survives any kill of ours. A disk that is full makes lines wait in memory, in order, until it takes them.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "journal/fold.h"
#include "shapes/event.h"

namespace usvc {

std::string segment_path(const std::string& dir, std::uint64_t number);

class JournalWriter {
 public:
  // Goes on with the newest segment of `dir`, or begins the first.
  static Result<JournalWriter> open(const std::string& dir);

  // Fails when the line could not be written now: it is kept and tried again with the next one.
  Status append(const Event& event);
  // Tries again to write what waits.
  Status flush();
  [[nodiscard]] bool waiting() const { return !pending_.empty(); }

  // When the segment has grown enough, begins a new one with a checkpoint of the whole picture; old ones are removed.
  [[nodiscard]] bool wants_checkpoint() const { return written_ >= checkpoint_at_; }
  Status checkpoint(const Picture& picture, double now);

 private:
  Status open_segment(std::uint64_t number);
  void remove_old() const;

  std::string dir_;
  std::uint64_t number_ = 0;
  Fd file_;
  std::uint64_t written_ = 0;
  std::uint64_t checkpoint_at_ = 0;
  std::string pending_;
};

}  // namespace usvc
