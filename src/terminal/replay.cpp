#include "terminal/replay.h"

#include <algorithm>
#include <array>
#include <utility>

#include "terminal/line_ends.h"

namespace usvc {

namespace {

// So much of the log is looked at, for what was switched on; and for where the alternate screen was gone to, which is
// where a full-screen program's picture begins.
constexpr std::uint64_t most_scanned = std::uint64_t{32} << 20U;
constexpr std::uint64_t most_searched = std::uint64_t{2} << 20U;
// So much fills any screen with lines.
constexpr std::size_t most_replayed = std::size_t{256} << 10U;

constexpr std::string_view clear = "\x1b[m\x1b[H\x1b[2J";

// Returns where it goes on.
Result<std::uint64_t> read_all(LogHistory& log, Span span, std::string& bytes) {
  for (;;) {
    auto more = log.read(span.begin, span.end, bytes);
    if (!more) return pass(more);
    if (!*more) return span.begin;
  }
}

// Most terminals have this height when their program begins, and many programs then set margins to just that, once. A
// terminal forgets them when it gets another size, which no log tells.
constexpr std::uint16_t first_rows = 24;
constexpr std::string_view first_margins = "\x1b[1;24r";
constexpr std::string_view no_margins = "\x1b[r";

void forget_first_margins(std::string& bytes, const ReplaySpec& spec) {
  if (spec.terminal.rows == first_rows) return;
  for (auto at = bytes.find(first_margins); at != std::string::npos; at = bytes.find(first_margins, at)) {
    bytes.replace(at, first_margins.size(), no_margins);
  }
}

// The modes that hold after these parts of the log.
Status scan(LogHistory& log, Span span, const ReplaySpec& spec, ScreenParser& screen) {
  std::string bytes;
  for (;;) {
    bytes.clear();
    auto more = log.read(span.begin, span.end, bytes);
    if (!more) return pass(more);
    if (!*more) return {};
    forget_first_margins(bytes, spec);
    screen.take(bytes);
  }
}

// What a screen's picture is made of.
struct Recent {
  std::string bytes;
  bool from_start = true;      // of the run
  bool was_alternate = false;  // before them
};

Result<Recent> read_recent(LogHistory& log, const ReplaySpec& spec, Replay& replay) {
  auto end = log.end();
  if (!end) return pass(end);
  auto first = log.begin();
  if (!first) return pass(first);
  const std::uint64_t begin = std::min(std::max(spec.begin, *first), *end);
  const std::uint64_t searched = std::max(begin, *end - std::min(*end, most_searched));
  const std::uint64_t scanned = std::max(begin, *end - std::min(*end, most_scanned));
  replay.screen = spec.screen;
  if (auto status = scan(log, {scanned, searched}, spec, replay.screen); !status) return pass(status);
  Recent recent;
  recent.was_alternate = replay.screen.modes().alternate();
  auto read = read_all(log, {searched, *end}, recent.bytes);
  if (!read) return pass(read);
  replay.end = *read;
  recent.from_start = searched == spec.begin;
  // It may begin within a control sequence.
  if (!recent.from_start) recent.bytes.erase(0, recent.bytes.find_first_of("\x1b\n"));
  forget_first_margins(recent.bytes, spec);
  replay.screen.take(recent.bytes);
  replay.at_line_start = recent.bytes.empty() || recent.bytes.back() == '\n';
  return recent;
}

// Where the program went to the alternate screen it is on at the end of these bytes.
std::optional<std::size_t> alternate_since(std::string_view bytes) {
  constexpr std::array<std::string_view, 3> ways = {"\x1b[?1049", "\x1b[?1047", "\x1b[?47"};
  std::optional<std::size_t> newest;
  for (const auto way : ways) {
    const auto at = bytes.rfind(way);
    if (at != std::string_view::npos && (!newest || at > *newest)) newest = at;
  }
  if (!newest) return std::nullopt;
  const auto last = bytes.find_first_of("hl", *newest);
  return last != std::string_view::npos && bytes[last] == 'h' ? newest : std::nullopt;
}

std::size_t next_line(std::string_view bytes, std::size_t from) {
  if (from == 0) return 0;
  const auto newline = bytes.find('\n', from - 1);
  return newline == std::string_view::npos ? from : newline + 1;
}

// What was written to the main screen was written under settings that nobody knows any more: lines that a script has
// printed are there, before the pager or the ssh that it runs now. So those a job's terminal begins with are taken: a
// program that prints without output processing ends its lines with \r\n itself.
class Painter {
 public:
  Painter(const ReplaySpec& spec, WindowSize size) : spec_(&spec), picture_(std::make_unique<ScreenPicture>(size)) {}

  void write(std::string_view bytes) {
    std::string text;
    ends_.pass(bytes, text);
    picture_->write(text);
  }
  // `bytes` begin with the sequence that goes there, or what went there came before them.
  void write_alternate(std::string_view bytes, bool goes_there) {
    const std::size_t there = goes_there ? bytes.find('h') + 1 : 0;
    write(goes_there ? bytes.substr(0, there) : "\x1b[?1049h");
    ends_.set_modes(spec_->modes);  // as they are now, and most likely since then
    write(bytes.substr(there));
  }
  [[nodiscard]] std::string paint() const { return picture_->paint(spec_->window); }
  [[nodiscard]] std::string cursor(int first = 0) const { return picture_->cursor(spec_->window, first); }
  std::unique_ptr<ScreenPicture> take_picture() { return std::move(picture_); }

 private:
  const ReplaySpec* spec_;
  LineEnds ends_;
  std::unique_ptr<ScreenPicture> picture_;
};

}  // namespace

Result<Replay> replay_log(LogHistory& log, const ReplaySpec& spec) {
  Replay replay;
  auto recent = read_recent(log, spec, replay);
  if (!recent) return pass(recent);
  const std::string_view bytes = recent->bytes;
  const ScreenModes& modes = replay.screen.modes();
  const bool alternate = modes.alternate();
  const auto since = alternate ? alternate_since(bytes) : std::nullopt;
  const std::size_t main_end = since.value_or(recent->was_alternate && alternate ? 0 : bytes.size());
  const std::size_t main_begin = next_line(bytes, main_end - std::min(main_end, most_replayed));
  const bool from_start = main_begin == 0 && recent->from_start && spec.screen == ScreenParser();
  replay.whole = alternate ? since.has_value() : from_start || spec.modes.icanon;

  // Lines find their places anew in the viewer's window; a full-screen program's picture only fits its own.
  Painter painter(spec, alternate ? spec.terminal : spec.window);
  painter.write(bytes.substr(main_begin, main_end - main_begin));
  replay.paint = std::string(clear) + painter.paint();
  if (!alternate) {
    replay.paint += modes.to_set() + painter.cursor(modes.first_row());
    return replay;
  }
  replay.paint += painter.cursor() + "\x1b[?1049h";
  replay.paint += clear;
  painter.write_alternate(bytes.substr(main_end), since.has_value());
  if (spec.terminal == spec.window) {
    replay.paint += painter.paint() + modes.to_set() + painter.cursor(modes.first_row());
    return replay;
  }
  replay.picture = painter.take_picture();
  replay.paint += replay.picture->paint_changes(spec.window) + modes.of_keys().to_set();
  replay.paint += replay.picture->cursor(spec.window);
  return replay;
}

}  // namespace usvc
