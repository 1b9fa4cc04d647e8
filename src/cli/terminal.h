// All that is known about the terminal: whether it is one, its width, its colours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/display.h"
#include "base/error.h"

namespace usvc {

enum class ColorWish : std::uint8_t { automatic, always, never };

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

}  // namespace usvc
