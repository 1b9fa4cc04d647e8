#include "terminal/top/screen.h"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <string>
#include <string_view>

#define NCURSES_NOMACROS 1
#include <curses.h>
#include <term.h>

namespace usvc::top {

namespace {

// Long enough for the rest of a function key to come from far away, short enough for one who pressed Esc.
constexpr int escape_delay_ms = 50;

constexpr std::array pair_colors = {Color::red, Color::green, Color::yellow, Color::blue, Color::magenta, Color::cyan};
constexpr std::array pair_numbers = {COLOR_RED, COLOR_GREEN, COLOR_YELLOW, COLOR_BLUE, COLOR_MAGENTA, COLOR_CYAN};

attr_t attributes_of(const Style& style) {
  attr_t attributes = style.reverse ? A_REVERSE : A_NORMAL;
  if (style.color == Color::bold) attributes |= A_BOLD;
  if (style.color == Color::dim) attributes |= A_DIM;
  return attributes;
}

short pair_of(Color color) {
  for (std::size_t i = 0; i < pair_colors.size(); ++i) {
    if (pair_colors[i] == color) return static_cast<short>(i + 1);
  }
  return 0;
}

void start_colors() {
  ::start_color();
  const bool defaults = ::use_default_colors() == OK;
  for (std::size_t i = 0; i < pair_numbers.size(); ++i) {
    ::init_pair(static_cast<short>(i + 1), static_cast<short>(pair_numbers[i]), defaults ? -1 : COLOR_BLACK);
  }
}

bool can_be_drawn_on() {
  // What the terminal is told to go to a place with; of none it is a null pointer, of no such thing -1.
  static char name[] = "cup";
  const char* sequence = ::tigetstr(name);
  return sequence != nullptr && std::bit_cast<std::intptr_t>(sequence) != -1;
}

Error no_screen() {
  const char* term = std::getenv("TERM");
  const std::string what = term == nullptr || *term == '\0' ? "TERM is not set" : "TERM=" + std::string(term);
  return Error("this terminal cannot be drawn on: " + what).hint("usvc status shows the same once");
}

std::string utf8(wchar_t c) {
  std::array<char, 16> bytes{};
  std::mbstate_t state{};
  const std::size_t length = std::wcrtomb(bytes.data(), c, &state);
  return length == static_cast<std::size_t>(-1) ? std::string() : std::string(bytes.data(), length);
}

std::optional<Key> special_key(wint_t code) {
  switch (code) {
    case KEY_UP:
      return Key{KeyKind::up, {}};
    case KEY_DOWN:
      return Key{KeyKind::down, {}};
    case KEY_LEFT:
      return Key{KeyKind::left, {}};
    case KEY_RIGHT:
      return Key{KeyKind::right, {}};
    case KEY_PPAGE:
      return Key{KeyKind::page_up, {}};
    case KEY_NPAGE:
      return Key{KeyKind::page_down, {}};
    case KEY_HOME:
      return Key{KeyKind::home, {}};
    case KEY_END:
      return Key{KeyKind::end, {}};
    case KEY_ENTER:
      return Key{KeyKind::enter, {}};
    case KEY_BACKSPACE:
    case KEY_DC:
      return Key{KeyKind::backspace, {}};
    default:
      return std::nullopt;
  }
}

std::optional<Key> plain_key(wint_t code) {
  constexpr wint_t escape = 0x1b;
  constexpr wint_t ctrl_h = 0x08;
  constexpr wint_t ctrl_l = 0x0c;
  constexpr wint_t rubout = 0x7f;
  if (code == L'\n' || code == L'\r') return Key{KeyKind::enter, {}};
  if (code == escape) return Key{KeyKind::escape, {}};
  if (code == ctrl_h || code == rubout) return Key{KeyKind::backspace, {}};
  if (code == ctrl_l) return Key{KeyKind::redraw, {}};
  if (code < 0x20) return std::nullopt;
  return Key{KeyKind::character, utf8(static_cast<wchar_t>(code))};
}

}  // namespace

Result<Screen> Screen::open(bool colors) {
  (void)std::setlocale(LC_CTYPE, "");
  const Charset charset = std::string_view(::nl_langinfo(CODESET)) == "UTF-8" ? Charset::unicode : Charset::ascii;
  SCREEN* screen = ::newterm(nullptr, stdout, stdin);
  if (screen == nullptr) return fail(no_screen());
  Screen opened(Handle(screen), charset, colors && ::has_colors());
  if (!can_be_drawn_on()) return fail(no_screen());
  if (opened.colors_) start_colors();
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::set_escdelay(escape_delay_ms);
  ::curs_set(0);
  ::leaveok(stdscr, TRUE);
  return opened;
}

namespace {

// A terminal without another screen (GNU screen's default) keeps what is shown, and the last row is then the prompt's.
void end_window() {
  ::move(LINES - 1, 0);
  ::clrtoeol();
  ::refresh();
  ::endwin();
}

}  // namespace

void Screen::End::operator()(void* screen) const {
  // Left already, but its modes may have been set again for a key.
  if (::isendwin()) {
    ::reset_shell_mode();
  } else {
    end_window();
  }
  ::delscreen(static_cast<SCREEN*>(screen));
}

Size Screen::size() {
  winsize now{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) == 0 && now.ws_row > 0 && now.ws_col > 0 &&
      (now.ws_row != ::getmaxy(stdscr) || now.ws_col != ::getmaxx(stdscr))) {
    ::resizeterm(now.ws_row, now.ws_col);
    ::clearok(stdscr, TRUE);
  }
  return {static_cast<std::size_t>(::getmaxx(stdscr)), static_cast<std::size_t>(::getmaxy(stdscr))};
}

void Screen::put(int y, const Row& row) const {
  ::wmove(stdscr, y, 0);
  for (const auto& piece : row.pieces) {
    const short pair = colors_ ? pair_of(piece.style.color) : static_cast<short>(0);
    ::wattr_set(stdscr, attributes_of(piece.style), pair, nullptr);
    ::waddnstr(stdscr, piece.text.c_str(), static_cast<int>(piece.text.size()));
  }
  ::wattr_set(stdscr, A_NORMAL, 0, nullptr);
}

void Screen::draw(const std::vector<Row>& rows) const {
  ::werase(stdscr);
  for (std::size_t y = 0; y < rows.size(); ++y) put(static_cast<int>(y), rows[y]);
  ::wrefresh(stdscr);
}

void Screen::redraw_all() {
  ::clearok(stdscr, TRUE);
}

std::optional<Key> Screen::key() {
  for (;;) {
    wint_t code = 0;
    const int got = ::wget_wch(stdscr, &code);
    if (got == ERR) return std::nullopt;
    auto key = got == KEY_CODE_YES ? special_key(code) : plain_key(code);
    if (key) return key;
  }
}

void Screen::leave() {
  ::def_prog_mode();
  end_window();
}

void Screen::come_back() {
  ::reset_prog_mode();
  redraw_all();
}

void Screen::keys_at_once() {
  ::reset_prog_mode();
}

}  // namespace usvc::top
