// Text as a terminal shows it: how wide it is, cutting it, and making what others wrote harmless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace usvc {

enum class Color : std::uint8_t { plain, red, green, yellow, blue, magenta, cyan, dim, bold };

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

// The same for where each character has its place: without colours, tabs as spaces, of what a carriage return has
// written over only what it was written over with, and what is not UTF-8 escaped.
std::string plain_text(std::string_view line);

}  // namespace usvc
