#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace usvc {

namespace {

std::string_view code_of(Color color) {
  switch (color) {
    case Color::plain:
      return "";
    case Color::red:
      return "31";
    case Color::green:
      return "32";
    case Color::yellow:
      return "33";
    case Color::blue:
      return "34";
    case Color::magenta:
      return "35";
    case Color::cyan:
      return "36";
    case Color::dim:
      return "2";
    case Color::bold:
      return "1";
  }
  return "";
}

bool wants_colors(bool is_tty, ColorWish wish) {
  if (wish != ColorWish::automatic) return wish == ColorWish::always;
  const char* none = std::getenv("NO_COLOR");
  if (none != nullptr && *none != '\0') return false;
  const char* term = std::getenv("TERM");
  return is_tty && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

}  // namespace

Result<ColorWish> parse_color_wish(std::string_view text) {
  if (text == "auto") return ColorWish::automatic;
  if (text == "always") return ColorWish::always;
  if (text == "never") return ColorWish::never;
  return fail("--color " + std::string(text) + ": must be auto, always or never", ErrorKind::usage);
}

Terminal Terminal::on(int fd, ColorWish wish) {
  const bool is_tty = ::isatty(fd) == 1;
  std::optional<std::size_t> width;
  std::optional<std::size_t> height;
  winsize size{};
  if (is_tty && ::ioctl(fd, TIOCGWINSZ, &size) == 0) {
    if (size.ws_col > 0) width = size.ws_col;
    if (size.ws_row > 0) height = size.ws_row;
  }
  if (is_tty && !width) width = 80;
  return {is_tty, wants_colors(is_tty, wish), width, height};
}

std::string Terminal::paint(Color color, std::string_view text) const {
  if (!colors_ || color == Color::plain || text.empty()) return std::string(text);
  std::string painted = "\x1b[";
  painted.append(code_of(color)).append("m").append(text).append("\x1b[0m");
  return painted;
}

std::string_view Terminal::cut(std::string_view line) const {
  return width_ ? cut_to(line, *width_) : line;
}

Color Terminal::color_of(std::size_t index) {
  constexpr std::array colors = {Color::cyan, Color::green, Color::magenta, Color::yellow, Color::blue, Color::red};
  return colors[index % colors.size()];
}

}  // namespace usvc
