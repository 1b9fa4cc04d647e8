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

// The modes that hold after these parts of the log.
Status scan(LogHistory& log, std::uint64_t begin, std::uint64_t end, ScreenParser& screen) {
  std::string bytes;
  for (;;) {
    bytes.clear();
    auto more = log.read(begin, end, bytes);
    if (!more) return pass(more);
    if (!*more) return {};
    screen.take(bytes);
  }
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

class Painter {
 public:
  Painter(const ReplaySpec& spec, WindowSize size) : spec_(&spec), picture_(std::make_unique<ScreenPicture>(size)) {
    ends_.set_modes(spec.modes);
  }

  void write(std::string_view bytes) {
    std::string text;
    ends_.pass(bytes, text);
    picture_->write(text);
  }
  [[nodiscard]] std::string paint() const { return picture_->paint(spec_->window); }
  [[nodiscard]] std::string cursor() const { return picture_->cursor(spec_->window); }
  std::unique_ptr<ScreenPicture> take_picture() { return std::move(picture_); }

 private:
  const ReplaySpec* spec_;
  LineEnds ends_;
  std::unique_ptr<ScreenPicture> picture_;
};

}  // namespace

Result<Replay> replay_log(LogHistory& log, const ReplaySpec& spec) {
  auto end = log.end();
  if (!end) return pass(end);
  Replay replay;
  replay.end = *end;
  replay.screen = spec.screen;
  const std::uint64_t begin = std::min(spec.begin, *end);
  const std::uint64_t searched = std::max(begin, *end - std::min(*end, most_searched));
  const std::uint64_t scanned = std::max(begin, *end - std::min(*end, most_scanned));
  if (auto status = scan(log, scanned, searched, replay.screen); !status) return pass(status);
  const bool was_alternate = replay.screen.modes().alternate();
  std::string bytes;
  auto read = read_all(log, {searched, *end}, bytes);
  if (!read) return pass(read);
  replay.end = *read;
  replay.screen.take(bytes);
  replay.at_line_start = bytes.empty() || bytes.back() == '\n';

  const bool alternate = replay.screen.modes().alternate();
  const auto since = alternate ? alternate_since(bytes) : std::nullopt;
  const std::size_t main_end = since.value_or(was_alternate && alternate ? 0 : bytes.size());
  const std::size_t main_begin = next_line(bytes, main_end - std::min(main_end, most_replayed));
  const bool from_start = main_begin == 0 && searched == begin && spec.screen == ScreenParser();
  replay.whole = alternate ? since.has_value() : from_start || spec.modes.icanon;

  // Lines find their places anew in the viewer's window; a full-screen program's picture only fits its own.
  Painter painter(spec, alternate ? spec.terminal : spec.window);
  painter.write(std::string_view(bytes).substr(main_begin, main_end - main_begin));
  replay.paint = std::string(clear) + painter.paint();
  if (alternate) {
    replay.paint += painter.cursor() + "\x1b[?1049h";
    replay.paint += clear;
    if (!since) painter.write("\x1b[?1049h");
    painter.write(std::string_view(bytes).substr(main_end));
  }
  if (alternate && spec.terminal != spec.window) {
    replay.picture = painter.take_picture();
    replay.paint += replay.picture->paint_changes(spec.window) + replay.screen.modes().of_keys().to_set() +
                    replay.picture->cursor(spec.window);
    return replay;
  }
  if (alternate) replay.paint += painter.paint();
  replay.paint += replay.screen.modes().to_set() + painter.cursor();
  return replay;
}

}  // namespace usvc
