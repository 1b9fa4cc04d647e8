#include "terminal/picture.h"

#include <vterm.h>

#include <algorithm>
#include <new>
#include <unordered_map>

namespace usvc {

namespace {

// A window may claim to be larger than any memory.
constexpr WindowSize largest{.rows = 500, .columns = 1000};

constexpr std::uint32_t last_code = 0x10ffff;  // beyond: the second half of a wide character

// In a single column libvterm writes a wide character beyond its row.
constexpr std::uint16_t fewest_columns = 2;

WindowSize bounded(WindowSize size) {
  return {std::clamp<std::uint16_t>(size.rows, 1, largest.rows),
          std::clamp<std::uint16_t>(size.columns, 1, largest.columns)};
}

void add_utf8(std::string& text, std::uint32_t code) {
  const auto tail = [&](unsigned shift) { text += static_cast<char>(0x80U | ((code >> shift) & 0x3fU)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xc0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

// Which of the two a colour is for, as its codes begin.
enum class Layer { foreground, background };

void add_color(std::string& text, const VTermColor& color, Layer layer) {
  const bool front = layer == Layer::foreground;
  if (front ? VTERM_COLOR_IS_DEFAULT_FG(&color) : VTERM_COLOR_IS_DEFAULT_BG(&color)) return;
  const std::string extended = front ? ";38" : ";48";
  if (VTERM_COLOR_IS_RGB(&color)) {
    text += extended + ";2;" + std::to_string(color.rgb.red) + ";" + std::to_string(color.rgb.green) + ";" +
            std::to_string(color.rgb.blue);
  } else if (color.indexed.idx < 16) {
    const int first = (color.indexed.idx < 8 ? 30 : 90 - 8) + (front ? 0 : 10);
    text += ";" + std::to_string(first + color.indexed.idx);
  } else {
    text += extended + ";5;" + std::to_string(color.indexed.idx);
  }
}

struct Pen {
  VTermScreenCellAttrs attributes{};
  VTermColor foreground{};
  VTermColor background{};
};

std::string sgr(const Pen& pen) {
  std::string text = "\x1b[0";
  if (pen.attributes.bold != 0) text += ";1";
  if (pen.attributes.italic != 0) text += ";3";
  if (pen.attributes.underline == VTERM_UNDERLINE_SINGLE) text += ";4";
  if (pen.attributes.underline == VTERM_UNDERLINE_DOUBLE) text += ";21";
  if (pen.attributes.underline == VTERM_UNDERLINE_CURLY) text += ";4:3";
  if (pen.attributes.blink != 0) text += ";5";
  if (pen.attributes.reverse != 0) text += ";7";
  if (pen.attributes.strike != 0) text += ";9";
  add_color(text, pen.foreground, Layer::foreground);
  add_color(text, pen.background, Layer::background);
  return text + "m";
}

std::string move_to(int row, int column) {
  return "\x1b[" + std::to_string(row + 1) + ";" + std::to_string(column + 1) + "H";
}

bool is_blank(const VTermScreenCell& cell) {
  return (cell.chars[0] == 0 || cell.chars[0] == ' ') && VTERM_COLOR_IS_DEFAULT_BG(&cell.bg) &&
         cell.attrs.reverse == 0 && cell.attrs.underline == 0 && cell.attrs.strike == 0;
}

// Where the cursor of another terminal is behind a character: terminals count the columns of many differently.
enum class Place {
  known,
  doubtful,  // text that follows at once is best left to it; what comes after a gap is not
  wrong,     // most likely
  joined,    // within a sequence that may become one character: a move would break it
};

Place place_after(const VTermScreenCell& cell) {
  constexpr std::uint32_t zero_width_joiner = 0x200d;
  const std::uint32_t code = cell.chars[0];
  std::uint32_t last = code;
  for (const std::uint32_t part : cell.chars) {
    if (part == 0) break;
    last = part;
  }
  if (last == zero_width_joiner) return Place::joined;
  if (last < 0x80 || last > last_code) return Place::known;
  // What takes more room there than here would be cut through.
  if (cell.width < 2) return Place::doubtful;
  const bool symbol = code < 0x2e80 || (code >= 0x1f000 && code < 0x20000);
  return symbol || last != code ? Place::wrong : Place::doubtful;
}

// Is shown as part of what stands before it, where that is a flag's first half or a symbol.
bool joins_symbols(std::uint32_t code) {
  return (code >= 0x1f1e6 && code <= 0x1f1ff) || (code >= 0x1f3fb && code <= 0x1f3ff);
}

}  // namespace

// What takes two columns in libvterm's eyes: it tells only by where its cursor is.
class WideCharacters {
 public:
  WideCharacters() : trial_(vterm_new(1, 4)) {
    if (!trial_) throw std::bad_alloc();
    vterm_set_utf8(trial_.get(), 1);
    vterm_state_reset(vterm_obtain_state(trial_.get()), 1);
  }
  bool contain(std::uint32_t code) {
    constexpr std::uint32_t first = 0x1100;
    if (code < first || code > last_code) return false;
    const auto [known, is_new] = known_.try_emplace(code);
    if (is_new) known->second = columns_of(code) == 2;
    return known->second;
  }

 private:
  int columns_of(std::uint32_t code) {
    std::string text = "\r";
    add_utf8(text, code);
    (void)vterm_input_write(trial_.get(), text.data(), text.size());
    VTermPos position{};
    vterm_state_get_cursorpos(vterm_obtain_state(trial_.get()), &position);
    return position.col;
  }

  std::unique_ptr<VTerm, VTermFree> trial_;
  std::unordered_map<std::uint32_t, bool> known_;
};

namespace {

// One row of a picture, for a row that is cleared.
class RowPainter {
 public:
  void add(const VTermScreenCell& cell, int column) {
    const bool blank = is_blank(cell);
    if (blank && place_ != Place::known) {
      gap_ = true;
      return;
    }
    if (gap_ || (place_ == Place::wrong && !joins_symbols(cell.chars[0]))) move(column);
    add_text(cell);
    if (!blank) kept_ = text_.size();
    const Place after = place_after(cell);
    if (place_ == Place::joined && after != Place::joined) {
      place_ = Place::wrong;
    } else if (after != Place::known) {
      place_ = after;
    }
  }
  std::string take() {
    // Without the blanks at its end.
    text_.resize(kept_);
    return kept_ == 0 ? text_ : text_ + plain;
  }

 private:
  static constexpr const char* plain = "\x1b[0m";

  void move(int column) {
    text_ += "\x1b[" + std::to_string(column + 1) + "G";
    place_ = Place::known;
    gap_ = false;
  }
  void add_text(const VTermScreenCell& cell) {
    const std::string wanted = sgr({cell.attrs, cell.fg, cell.bg});
    if (wanted != present_) text_ += present_ = wanted;
    if (cell.chars[0] == 0) text_ += ' ';
    for (const std::uint32_t code : cell.chars) {
      if (code == 0 || code > last_code) break;
      add_utf8(text_, code);
    }
  }

  std::string text_;
  std::string present_ = plain;
  std::size_t kept_ = 0;
  Place place_ = Place::known;
  bool gap_ = false;  // since then: the row is cleared, so that nothing needs to be written there
};

std::string paint_row(VTermScreen* screen, int row, int columns, WideCharacters& wide) {
  RowPainter painter;
  VTermScreenCell cell{};
  for (int column = 0; column < columns; column += std::max<int>(cell.width, 1)) {
    if (vterm_screen_get_cell(screen, {row, column}, &cell) == 0) break;
    if (column + cell.width > columns) break;
    // Half of a wide character whose other half was written over.
    if (cell.width == 1 && (cell.chars[0] > last_code || wide.contain(cell.chars[0]))) cell.chars[0] = 0;
    painter.add(cell, column);
  }
  return painter.take();
}

Pen present_pen(const VTermState* state) {
  Pen pen;
  VTermValue value{};
  const auto number = [&](VTermAttr attribute) {
    return vterm_state_get_penattr(state, attribute, &value) != 0 ? static_cast<unsigned>(value.number) : 0U;
  };
  pen.attributes.bold = number(VTERM_ATTR_BOLD) & 1U;
  pen.attributes.italic = number(VTERM_ATTR_ITALIC) & 1U;
  pen.attributes.underline = number(VTERM_ATTR_UNDERLINE) & 3U;
  pen.attributes.blink = number(VTERM_ATTR_BLINK) & 1U;
  pen.attributes.reverse = number(VTERM_ATTR_REVERSE) & 1U;
  pen.attributes.strike = number(VTERM_ATTR_STRIKE) & 1U;
  pen.foreground.type = VTERM_COLOR_DEFAULT_FG;
  pen.background.type = VTERM_COLOR_DEFAULT_BG;
  if (vterm_state_get_penattr(state, VTERM_ATTR_FOREGROUND, &value) != 0) pen.foreground = value.color;
  if (vterm_state_get_penattr(state, VTERM_ATTR_BACKGROUND, &value) != 0) pen.background = value.color;
  return pen;
}

}  // namespace

void VTermFree::operator()(VTerm* terminal) const {
  vterm_free(terminal);
}

ScreenPicture::ScreenPicture(WindowSize size)
    : size_(bounded({size.rows, std::max(size.columns, fewest_columns)})),
      terminal_(vterm_new(size_.rows, size_.columns)),
      wide_(std::make_unique<WideCharacters>()),
      repetitions_(size_.columns) {  // programs stay within a row
  if (!terminal_) throw std::bad_alloc();
  vterm_set_utf8(terminal_.get(), 1);
  VTermScreen* screen = vterm_obtain_screen(terminal_.get());
  vterm_screen_enable_altscreen(screen, 1);
  vterm_screen_reset(screen, 1);
  // What a program restores without having saved it would be black on black.
  write(
      "\x1b"
      "7");
  // What it would answer to queries.
  vterm_output_set_callback(
      terminal_.get(), [](const char* /*bytes*/, std::size_t /*size*/, void* /*user*/) {}, nullptr);
}

ScreenPicture::~ScreenPicture() = default;

void ScreenPicture::write(std::string_view bytes) {
  // libvterm takes four times that from the stack.
  constexpr std::size_t most_at_once = std::size_t{16} << 10U;
  for (std::size_t at = 0; at < bytes.size(); at += most_at_once) {
    const std::string text = repetitions_.written_out(bytes.substr(at, most_at_once));
    for (std::size_t done = 0; done < text.size(); done += most_at_once) {
      const std::string_view part = std::string_view(text).substr(done, most_at_once);
      (void)vterm_input_write(terminal_.get(), part.data(), part.size());
    }
  }
}

void ScreenPicture::forget_margins() {
  VTermPos position{};
  vterm_state_get_cursorpos(vterm_obtain_state(terminal_.get()), &position);
  write("\x1b[r" + move_to(position.row, position.col));
}

int ScreenPicture::first_row(WindowSize on) const {
  VTermPos position{};
  vterm_state_get_cursorpos(vterm_obtain_state(terminal_.get()), &position);
  return std::max(0, position.row - bounded(on).rows + 1);
}

std::vector<std::string> ScreenPicture::rows(WindowSize on) const {
  VTermScreen* screen = vterm_obtain_screen(terminal_.get());
  const int first = first_row(on);
  const int count = std::min<int>(bounded(on).rows, size_.rows - first);
  std::vector<std::string> rows;
  rows.reserve(static_cast<std::size_t>(std::max(count, 0)));
  for (int row = 0; row < count; ++row) {
    rows.push_back(paint_row(screen, first + row, std::min(bounded(on).columns, size_.columns), *wide_));
  }
  return rows;
}

std::string ScreenPicture::paint(WindowSize on) const {
  std::string text;
  int row = 0;
  for (const auto& painted : rows(on)) {
    if (!painted.empty()) text += move_to(row, 0) + painted;
    ++row;
  }
  return text;
}

std::string ScreenPicture::paint_changes(WindowSize on) {
  std::vector<std::string> now = rows(on);
  std::string text;
  painted_.resize(std::max(now.size(), painted_.size()));
  now.resize(painted_.size());
  for (std::size_t row = 0; row < now.size(); ++row) {
    // Erased first: behind a row that fills the terminal its last character would go too.
    if (now[row] != painted_[row]) text += move_to(static_cast<int>(row), 0) + "\x1b[0m\x1b[K" + now[row];
  }
  painted_ = std::move(now);
  return text;
}

std::string ScreenPicture::cursor(WindowSize on, int first) const {
  const VTermState* state = vterm_obtain_state(terminal_.get());
  VTermPos position{};
  vterm_state_get_cursorpos(state, &position);
  return sgr(present_pen(state)) + move_to(std::max(0, position.row - first_row(on) - first),
                                           std::min<int>(position.col, bounded(on).columns - 1));
}

}  // namespace usvc
