// Appends to the journal. A line is written before what it tells is relied on; it is in the kernel's hands then, which
// survives any kill of ours. Lines that a full disk does not take wait in the spill, in order, until it does; some room
// is set aside on the disk so that this comes late.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "journal/fold.h"
#include "journal/spill.h"
#include "shapes/event.h"

namespace usvc {

std::string segment_path(const std::string& dir, std::uint64_t number);

class JournalWriter {
 public:
  // Goes on with the newest segment of `dir`, or begins the first, and with what an earlier writer left in the spill.
  static Result<JournalWriter> open(const std::string& dir, Spill spill = {});

  // Fails when the line is neither on the disk nor in the spill: then nothing of it will ever be.
  Status append(const Event& event);
  // Tries again to write what waits.
  Status flush();
  [[nodiscard]] bool waiting() const { return !pending_.empty(); }
  // What waits: where it begins in the middle of a line, the disk has the line's beginning.
  [[nodiscard]] const std::string& pending() const { return pending_; }
  // Why it waits; empty when nothing does.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  // When the segment has grown enough, begins a new one with a checkpoint of the whole picture; old ones are removed.
  [[nodiscard]] bool wants_checkpoint() const { return written_ >= checkpoint_at_; }
  Status checkpoint(const Picture& picture, double now);

 private:
  Status open_segment(std::uint64_t number);
  Status take_spilled();
  Status write_out(std::string& text);
  void reserve();
  void notice_others();
  void remove_old() const;

  std::string dir_;
  std::uint64_t number_ = 0;
  Fd file_;
  Spill spill_;
  bool torn_ = false;          // the segment does not end at a line's end
  std::uint64_t written_ = 0;  // the segment's size
  std::uint64_t reserved_ = 0;
  std::uint64_t checkpoint_at_ = 0;
  std::string pending_;
  std::string trouble_;
};

}  // namespace usvc
