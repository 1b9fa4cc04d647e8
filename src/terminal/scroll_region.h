// The upper rows of a terminal kept for a picture; below it, in a scroll region (DECSTBM) of its own, goes what is
// printed. The cursor is at home in the last row, so that the picture may grow and shrink without touching it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

// Gives the whole screen back to what scrolls; the cursor stays.
std::string_view release_scroll_region();

class ScrollRegion {
 public:
  struct Size {
    std::size_t rows = 0;
    std::size_t columns = 0;
  };

  // `terminal` stays open longer. What is on it is scrolled up.
  static Result<ScrollRegion> enter(FdRef terminal);
  ~ScrollRegion();
  ScrollRegion(ScrollRegion&& other) noexcept;
  ScrollRegion& operator=(ScrollRegion&&) = delete;
  ScrollRegion(const ScrollRegion&) = delete;
  ScrollRegion& operator=(const ScrollRegion&) = delete;

  [[nodiscard]] Size size() const { return size_; }
  // The most rows a picture may have; 0 on a terminal too small for any.
  [[nodiscard]] std::size_t most_picture_rows() const;
  [[nodiscard]] std::size_t picture_rows() const { return picture_.size(); }
  // How many are left to what is printed.
  [[nodiscard]] std::size_t rows_below() const { return size_.rows - picture_.size(); }

  // Shows the picture: writes the lines that are not there yet. Each is cut to the width already.
  void show(std::vector<std::string> lines);
  // Something may have changed the region and the picture: both are made anew.
  void restore();
  // The cursor in the last row, in the first column of an empty line: for after what draws all over the screen.
  void restore_below();
  // Empties what is below the picture.
  void clear();
  // Hands over the whole screen until restore().
  void release();
  // Looks at the terminal's size. Another one has the screen cleared; show() is to follow.
  void resize();

 private:
  ScrollRegion(FdRef terminal, Size size) : terminal_(terminal), size_(size) {}
  void write(const std::string& text) const;
  [[nodiscard]] std::string region() const;
  [[nodiscard]] std::string line_at(std::size_t row, std::string_view text) const;

  FdRef terminal_;
  Size size_;
  std::vector<std::string> picture_;
  bool active_ = true;
};

}  // namespace usvc
