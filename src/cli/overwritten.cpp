#include "cli/overwritten.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "cli/terminal.h"

namespace usvc {

namespace {

// A program may ask to go anywhere; what lies between is filled.
constexpr std::size_t widest_move = 1000;
// Colours that are never reset pile up.
constexpr std::size_t longest_style = 256;

// One row of a terminal, as wide as need be.
class ScreenRow {
 public:
  void put(std::string_view text, std::size_t columns);
  void tab();
  void color(std::string_view sequence);
  void go_to(std::size_t column) { column_ = std::min(column, std::max(widest_move, cells_.size())); }
  void go_back(std::size_t columns) { column_ -= std::min(column_, columns); }
  void go_on(std::size_t columns) { go_to(column_ + std::min(columns, widest_move)); }
  // 0: from here to the end, 1: from the beginning to here, 2: all.
  void erase(std::size_t what);
  [[nodiscard]] std::string text() const;

 private:
  struct Cell {
    std::string_view text = " ";  // empty: the right half of a wide character
    std::size_t style = 0;
  };
  void reach(std::size_t size) {
    if (cells_.size() < size) cells_.resize(size);
  }

  std::vector<Cell> cells_;
  std::vector<std::string> styles_ = {""};
  std::size_t style_ = 0;
  std::size_t column_ = 0;
};

void ScreenRow::put(std::string_view text, std::size_t columns) {
  if (columns == 0) {  // it belongs to the character before it, and is held with that one where they are neighbours
    if (column_ == 0 || column_ > cells_.size()) return;
    Cell& before = cells_[column_ - 1];
    if (before.text.data() + before.text.size() == text.data()) {
      before.text = {before.text.data(), before.text.size() + text.size()};
    }
    return;
  }
  reach(column_ + columns);
  cells_[column_] = {text, style_};
  for (std::size_t i = 1; i < columns; ++i) cells_[column_ + i] = {{}, style_};
  column_ += columns;
}

void ScreenRow::tab() {
  constexpr std::size_t stop = 8;
  column_ = (column_ / stop + 1) * stop;
  reach(column_);
}

void ScreenRow::color(std::string_view sequence) {
  if (sequence == "\x1b[m" || sequence == "\x1b[0m") {
    style_ = 0;
    return;
  }
  const std::string& now = styles_[style_];
  std::string next = (now.size() < longest_style ? now : "") + std::string(sequence);
  if (next != styles_.back()) styles_.push_back(std::move(next));
  style_ = styles_.size() - 1;
}

void ScreenRow::erase(std::size_t what) {
  const std::size_t end = what == 0 ? cells_.size() : std::min(column_ + 1, cells_.size());
  if (what == 0 || what == 2) cells_.resize(what == 2 ? 0 : std::min(column_, cells_.size()));
  if (what == 1) std::fill_n(cells_.begin(), end, Cell());
}

std::string ScreenRow::text() const {
  std::string out;
  std::size_t style = 0;
  for (const Cell& cell : cells_) {
    if (cell.style != style) {
      if (style != 0) out += "\x1b[0m";
      out += styles_[cell.style];
      style = cell.style;
    }
    out += cell.text;
  }
  if (style != 0) out += "\x1b[0m";
  return out;
}

void obey(ScreenRow& row, std::string_view sequence) {
  const std::string_view digits = sequence.substr(2, sequence.size() - 3);
  const auto number = digits.empty() ? std::optional<std::size_t>(0) : parse_integer<std::size_t>(digits);
  if (!number) return;
  const std::size_t count = std::max<std::size_t>(*number, 1);
  switch (sequence.back()) {
    case 'K':
      return row.erase(*number);
    case 'G':
      return row.go_to(count - 1);
    case 'C':
      return row.go_on(count);
    case 'D':
      return row.go_back(count);
    default:
      return;
  }
}

// Of what is no more than text, with its colours, and perhaps the end of a CRLF.
bool is_plain(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.find_first_of("\r\b") != std::string_view::npos) return false;
  for (std::size_t at = line.find("\x1b["); at != std::string_view::npos; at = line.find("\x1b[", at + 1)) {
    const ControlSequence sequence = first_sequence(line.substr(at));
    if (std::string_view("KGCD").find(line[at + sequence.length - 1]) != std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

std::string last_state(std::string_view line) {
  if (is_plain(line)) return std::string(line);
  ScreenRow row;
  while (!line.empty()) {
    std::size_t length = 1;
    const char c = line.front();
    if (c == '\x1b') {
      const ControlSequence sequence = first_sequence(line);
      length = sequence.length;
      const std::string_view text = line.substr(0, length);
      if (sequence.color) row.color(text);
      if (!sequence.color && text.starts_with("\x1b[") && length > 2) obey(row, text);
    } else if (c == '\r') {
      row.go_to(0);
    } else if (c == '\b') {
      row.go_back(1);
    } else if (c == '\t') {
      row.tab();
    } else if (static_cast<unsigned char>(c) >= 0x20 && c != '\x7f') {
      const Character character = first_character(line);
      length = character.bytes;
      row.put(line.substr(0, length), character.columns);
    }
    line.remove_prefix(length);
  }
  return row.text();
}

}  // namespace usvc
