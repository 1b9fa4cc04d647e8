// All that is known about the terminal: whether it is one, its width, its colours; and cutting text to fit it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace usvc {

enum class ColorWish : std::uint8_t { automatic, always, never };
enum class Color : std::uint8_t { plain, red, green, yellow, blue, magenta, cyan, dim, bold };

Result<ColorWish> parse_color_wish(std::string_view text);

class Terminal {
 public:
  // Looks at the descriptor, TERM and NO_COLOR.
  static Terminal on(int fd, ColorWish wish);
  // For tests, and for what is no terminal.
  Terminal(bool is_tty, bool colors, std::optional<std::size_t> width, std::optional<std::size_t> height = {})
      : is_tty_(is_tty), colors_(colors), width_(width), height_(height) {}

  [[nodiscard]] bool is_tty() const { return is_tty_; }
  [[nodiscard]] bool colors() const { return colors_; }
  // Columns; none where lines must not be cut.
  [[nodiscard]] std::optional<std::size_t> width() const { return width_; }

  // Rows, where it is a terminal that says so.
  [[nodiscard]] std::optional<std::size_t> height() const { return height_; }

  // The text in that colour, where there are colours.
  [[nodiscard]] std::string paint(Color color, std::string_view text) const;
  // A line without control sequences, cut to the width.
  [[nodiscard]] std::string_view cut(std::string_view line) const;
  // A job's own colour among the `index`th of several.
  static Color color_of(std::size_t index);

 private:
  bool is_tty_;
  bool colors_;
  std::optional<std::size_t> width_;
  std::optional<std::size_t> height_;
};

// Columns that UTF-8 text takes: wide characters two, combining marks none, each invalid byte one.
std::size_t display_width(std::string_view text);
// The longest beginning of the text that fits into so many columns.
std::string_view cut_to(std::string_view text, std::size_t columns);

// A character as UTF-8 has it; each invalid byte is one of one column.
struct Character {
  std::size_t bytes;
  std::size_t columns;
};
// The one at the front of what is not empty.
Character first_character(std::string_view text);

// The control sequence that begins with the ESC at the front.
struct ControlSequence {
  std::size_t length;
  bool color;  // and nothing else
};
ControlSequence first_sequence(std::string_view text);

// A line of a job's output made harmless for a terminal: colours stay, other control sequences and characters go.
// With `colors` false the colours go too.
std::string tame(std::string_view line, bool colors);

}  // namespace usvc
