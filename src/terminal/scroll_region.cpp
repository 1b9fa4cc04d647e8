#include "terminal/scroll_region.h"

#include <fmt/core.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <utility>

#include "base/files.h"

namespace usvc {

namespace {

constexpr std::string_view save_cursor =
    "\x1b"
    "7";
constexpr std::string_view restore_cursor =
    "\x1b"
    "8";
constexpr std::string_view whole_screen = "\x1b[r";
constexpr std::string_view clear_line = "\x1b[2K";
constexpr std::string_view clear_screen = "\x1b[2J";
// A terminal that is too small for a picture and a few lines below it has none.
constexpr std::size_t fewest_rows = 8;

std::string at_row(std::size_t row) {
  return fmt::format("\x1b[{};1H", row + 1);
}

Result<ScrollRegion::Size> size_of(FdRef terminal) {
  winsize size{};
  if (::ioctl(terminal.get(), TIOCGWINSZ, &size) != 0) return fail(Error::last("cannot ask for the terminal's size"));
  return ScrollRegion::Size{size.ws_row > 0 ? size.ws_row : std::size_t{24},
                            size.ws_col > 0 ? size.ws_col : std::size_t{80}};
}

}  // namespace

std::string_view release_scroll_region() {
  // Setting a region moves the cursor to the corner.
  return "\x1b"
         "7\x1b[r\x1b"
         "8";
}

Result<ScrollRegion> ScrollRegion::enter(FdRef terminal) {
  auto size = size_of(terminal);
  if (!size) return pass(size);
  ScrollRegion region(terminal, *size);
  region.write(at_row(size->rows - 1) + std::string(size->rows, '\n'));
  return region;
}

ScrollRegion::ScrollRegion(ScrollRegion&& other) noexcept
    : terminal_(other.terminal_),
      size_(other.size_),
      picture_(std::move(other.picture_)),
      active_(std::exchange(other.active_, false)) {}

ScrollRegion::~ScrollRegion() {
  if (active_) write(std::string(release_scroll_region()));
}

void ScrollRegion::write(const std::string& text) const {
  // A terminal that is gone is told to whoever reads from it.
  if (!text.empty()) (void)write_all(terminal_, text);
}

std::size_t ScrollRegion::most_picture_rows() const {
  return size_.rows < fewest_rows ? 0 : size_.rows / 2;
}

std::string ScrollRegion::region() const {
  return fmt::format("\x1b[{};{}r", picture_.size() + 1, size_.rows);
}

std::string ScrollRegion::line_at(std::size_t row, std::string_view text) const {
  std::string out = at_row(row);
  // Before the text: behind a full line the cursor still stands on its last character.
  return out.append(clear_line).append(text);
}

void ScrollRegion::show(std::vector<std::string> lines) {
  lines.resize(std::min(lines.size(), most_picture_rows()));
  const bool other_height = lines.size() != picture_.size();
  std::string out;
  for (std::size_t row = 0; row < std::max(lines.size(), picture_.size()); ++row) {
    const bool there = row < lines.size() && row < picture_.size() && lines[row] == picture_[row];
    if (!there) out += line_at(row, row < lines.size() ? std::string_view(lines[row]) : "");
  }
  picture_ = std::move(lines);
  if (other_height) out += region();
  if (!out.empty()) write(std::string(save_cursor).append(out).append(restore_cursor));
}

void ScrollRegion::restore() {
  std::string out(save_cursor);
  for (std::size_t row = 0; row < picture_.size(); ++row) out += line_at(row, picture_[row]);
  write(out.append(region()).append(restore_cursor));
}

void ScrollRegion::restore_below() {
  restore();
  write(at_row(size_.rows - 1) + "\n");
}

void ScrollRegion::clear() {
  std::string out;
  for (std::size_t row = picture_.size(); row < size_.rows; ++row) out += line_at(row, "");
  write(out);
}

void ScrollRegion::release() {
  write(std::string(release_scroll_region()));
}

void ScrollRegion::resize() {
  auto size = size_of(terminal_);
  if (!size || (size->rows == size_.rows && size->columns == size_.columns)) {
    restore();
    return;
  }
  size_ = *size;
  // Its lines were cut to the other width.
  picture_.clear();
  std::string out(whole_screen);
  write(out.append(clear_screen) + at_row(size_.rows - 1));
}

}  // namespace usvc
