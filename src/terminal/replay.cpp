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

// A part of the log that was written for one size of the terminal.
struct Stretch {
  Span span;
  bool first = true;     // nothing tells of another size before
  bool last = true;      // nor after
  bool resized = false;  // behind it
};

class Stretches {
 public:
  static Result<Stretches> find(LogHistory& log, Span span, const ReplaySpec& spec) {
    auto resizes = log.resized(span);
    if (!resizes) return pass(resizes);
    if (spec.resized_at && *spec.resized_at >= span.begin) resizes->push_back(std::min(*spec.resized_at, span.end));
    std::sort(resizes->begin(), resizes->end());
    return Stretches(std::move(*resizes));
  }
  [[nodiscard]] std::vector<Stretch> within(Span span) const {
    std::vector<Stretch> stretches;
    for (const std::uint64_t at : resizes_) {
      if (at <= span.begin || at > span.end) continue;
      stretches.push_back(stretch({span.begin, at}, true));
      span.begin = at;
    }
    stretches.push_back(stretch(span, false));
    return stretches;
  }

 private:
  explicit Stretches(std::vector<std::uint64_t> resizes) : resizes_(std::move(resizes)) {}
  [[nodiscard]] Stretch stretch(Span span, bool resized) const {
    return {.span = span,
            .first = resizes_.empty() || span.begin < resizes_.front(),
            .last = resizes_.empty() || span.begin >= resizes_.back(),
            .resized = resized};
  }

  std::vector<std::uint64_t> resizes_;
};

// Margins that leave nothing out are none, also where they are looked at in a larger window. Most terminals have this
// height when their program begins, and an older index does not tell of other sizes.
constexpr std::uint16_t first_rows = 24;

void forget_whole_margins(std::string& bytes, std::uint16_t rows) {
  constexpr std::string_view none = "\x1b[r";
  const std::string whole = "\x1b[1;" + std::to_string(rows) + "r";
  for (auto at = bytes.find(whole); at != std::string::npos; at = bytes.find(whole, at)) {
    bytes.replace(at, whole.size(), none);
  }
}

void forget_whole_margins(std::string& bytes, const Stretch& stretch, const ReplaySpec& spec) {
  if (stretch.first) forget_whole_margins(bytes, first_rows);
  if (stretch.last) forget_whole_margins(bytes, spec.terminal.rows);
}

// The modes that hold after this part of the log.
Status scan(LogHistory& log, Stretch stretch, const ReplaySpec& spec, ScreenParser& screen) {
  std::string bytes;
  for (;;) {
    bytes.clear();
    auto more = log.read(stretch.span.begin, stretch.span.end, bytes);
    if (!more) return pass(more);
    if (!*more) break;
    forget_whole_margins(bytes, stretch, spec);
    screen.take(bytes);
  }
  if (stretch.resized) screen.forget_margins();
  return {};
}

// What a screen's picture is made of.
class Recent {
 public:
  std::string bytes;
  bool from_start = true;            // of the run
  bool was_alternate = false;        // before them
  std::vector<std::size_t> resized;  // where among them margins were forgotten

  void add(std::string_view part, ScreenParser& screen) {
    // Not within a control sequence.
    for (; resizing_ && !part.empty(); part.remove_prefix(1)) {
      screen.take(part.front());
      bytes += part.front();
      if (screen.at_rest()) resize(screen);
    }
    screen.take(part);
    bytes += part;
  }
  void resize(ScreenParser& screen) {
    resizing_ = !screen.at_rest();
    if (resizing_ || !screen.modes().has_margins()) return;
    screen.forget_margins();
    resized.push_back(bytes.size());
  }

 private:
  bool resizing_ = false;
};

Result<Recent> read_recent(LogHistory& log, const ReplaySpec& spec, Replay& replay) {
  auto end = log.end();
  if (!end) return pass(end);
  auto first = log.begin();
  if (!first) return pass(first);
  const std::uint64_t begin = std::min(std::max(spec.begin, *first), *end);
  const std::uint64_t searched = std::max(begin, *end - std::min(*end, most_searched));
  const std::uint64_t scanned = std::max(begin, *end - std::min(*end, most_scanned));
  auto stretches = Stretches::find(log, {scanned, *end}, spec);
  if (!stretches) return pass(stretches);
  replay.screen = spec.screen;
  for (const auto& stretch : stretches->within({scanned, searched})) {
    if (auto status = scan(log, stretch, spec, replay.screen); !status) return pass(status);
  }
  Recent recent;
  recent.was_alternate = replay.screen.modes().alternate();
  recent.from_start = searched == spec.begin;
  bool in_sequence = !recent.from_start;  // it may begin within one
  for (const auto& stretch : stretches->within({searched, *end})) {
    std::string bytes;
    auto read = read_all(log, stretch.span, bytes);
    if (!read) return pass(read);
    replay.end = *read;
    if (in_sequence) bytes.erase(0, bytes.find_first_of("\x1b\n"));
    in_sequence = in_sequence && bytes.empty();
    forget_whole_margins(bytes, stretch, spec);
    recent.add(bytes, replay.screen);
    if (stretch.resized) recent.resize(replay.screen);
  }
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

// Where nothing moves the cursor back to lines before, as many of them as the window has are all that is seen.
std::size_t begin_of_seen(std::string_view bytes, std::size_t begin, std::size_t rows) {
  if (bytes.find('\x1b', begin) != std::string_view::npos) return begin;
  std::size_t line = bytes.size();
  for (std::size_t lines = 0; lines <= rows && line > begin && line != std::string_view::npos; ++lines) {
    line = bytes.rfind('\n', line - 1);
  }
  return line == std::string_view::npos || line <= begin ? begin : line + 1;
}

// What was written to the main screen was written under settings that nobody knows any more: lines that a script has
// printed are there, before the pager or the ssh that it runs now. So those a job's terminal begins with are taken: a
// program that prints without output processing ends its lines with \r\n itself.
class Painter {
 public:
  Painter(const ReplaySpec& spec, const Recent& recent, WindowSize size)
      : spec_(&spec), recent_(&recent), picture_(std::make_unique<ScreenPicture>(size)) {}

  void write(std::size_t begin, std::size_t end) {
    for (const std::size_t at : recent_->resized) {
      if (at < begin || at > end) continue;
      write(std::string_view(recent_->bytes).substr(begin, at - begin));
      picture_->forget_margins();
      begin = at;
    }
    write(std::string_view(recent_->bytes).substr(begin, end - begin));
  }
  // From `begin` on: it begins with the sequence that goes there, or what went there came before it.
  void write_alternate(std::size_t begin, bool goes_there) {
    const std::size_t there = goes_there ? recent_->bytes.find('h', begin) + 1 : begin;
    write(goes_there ? std::string_view(recent_->bytes).substr(begin, there - begin) : "\x1b[?1049h");
    ends_.set_modes(spec_->modes);  // as they are now, and most likely since then
    write(there, recent_->bytes.size());
  }
  [[nodiscard]] std::string paint() const { return picture_->paint(spec_->window); }
  [[nodiscard]] std::string cursor(int first = 0) const { return picture_->cursor(spec_->window, first); }
  std::unique_ptr<ScreenPicture> take_picture() { return std::move(picture_); }

 private:
  void write(std::string_view bytes) {
    std::string text;
    ends_.pass(bytes, text);
    picture_->write(text);
  }

  const ReplaySpec* spec_;
  const Recent* recent_;
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
  Painter painter(spec, *recent, alternate ? spec.terminal : spec.window);
  painter.write(begin_of_seen(bytes.substr(0, main_end), main_begin, spec.window.rows), main_end);
  replay.paint = std::string(clear) + painter.paint();
  if (!alternate) {
    replay.paint += modes.to_set() + painter.cursor(modes.first_row());
    return replay;
  }
  replay.paint += painter.cursor() + "\x1b[?1049h";
  replay.paint += clear;
  painter.write_alternate(main_end, since.has_value());
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
