// How long output is let pile up before it is moved: moving much at once costs far less than moving often, but a writer
// whose pipe or terminal is full stands still. So it is a millisecond, and less while buffers are found half full after
// it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace usvc {

class Nap {
 public:
  using Length = std::chrono::microseconds;
  static constexpr Length longest{1000};
  static constexpr Length shortest{10};  // the kernel adds its 50 (prctl(2), PR_SET_TIMERSLACK)

  // So much was in a buffer that takes `capacity` bytes.
  void found(std::size_t bytes, std::size_t capacity) {
    eighths_ = std::max(eighths_, bytes >= capacity ? 8 : bytes * 8 / capacity);
    any_ = any_ || bytes > 0;
  }

  // After all buffers were looked at: how long to wait until they are looked at again; 0: until there is something.
  Length next() {
    const bool brimming = eighths_ >= 4;
    if (brimming)
      length_ = length_ >= 2 * shortest ? length_ / 2 : Length::zero();
    else if (any_ && eighths_ < 1 && napped_)
      length_ = std::clamp(length_ * 2, shortest, longest);
    napped_ = any_ && !brimming;
    any_ = false;
    eighths_ = 0;
    return napped_ ? length_ : Length::zero();
  }

 private:
  Length length_ = longest;
  std::size_t eighths_ = 0;  // of the fullest one
  bool any_ = false;
  bool napped_ = false;
};

}  // namespace usvc
