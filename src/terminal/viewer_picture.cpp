// What a viewer paints instead of passing it on: the first picture, one that it has fallen behind of, and a full-screen
// program's in a window of another size.
#include <utility>

#include "terminal/replay.h"
#include "terminal/viewer.h"

namespace usvc {

Status TerminalViewer::show_first() {
  const WindowSize window = terminal_->size();
  // What is on the screen now goes where the terminal keeps what has scrolled away.
  out_ += "\x1b[" + std::to_string(window.rows) + ";1H" + std::string(window.rows, '\n');
  if (auto status = repaint(); !status) return status;
  if (const std::string words = standing_words(spec_.job); !words.empty()) {
    notice(words);
  } else if (position_ == run_begin_) {
    notice(spec_.job.name + " has written nothing yet (Ctrl-D leaves)");
  }
  // Which is not for it to ask for.
  if (spec_.read_only && !whole_) notice("Looking only: some of the picture is missing until it is drawn anew");
  return {};
}

Status TerminalViewer::repaint() {
  const WindowSize window = terminal_->size();
  ReplaySpec spec{.begin = run_begin_,
                  .screen = {},
                  .terminal = size_of_job(),
                  .window = window,
                  .modes = {},
                  .resized_at = std::exchange(resized_at_, std::nullopt)};
  if (last_view_ && last_view_->modes) spec.modes = *last_view_->modes;
  auto replay = replay_log(log_, spec);
  if (!replay) return pass(replay);
  out_ += ends_.modes().to_reset() + replay->paint;
  position_ = replay->end;
  ends_.resume(replay->screen, replay->at_line_start);
  picture_ = std::move(replay->picture);
  pictured_ = spec.terminal;
  whole_ = replay->whole;
  // Who comes with another window has it drawn anew by that.
  if (!whole_ && (size_told_ || spec.terminal == window)) link_.have_redrawn();
  flush();
  return {};
}

WindowSize TerminalViewer::size_of_job() const {
  if (!last_view_) return terminal_->size();
  return {static_cast<std::uint16_t>(last_view_->rows), static_cast<std::uint16_t>(last_view_->columns)};
}

// A full-screen program writes for a terminal of its size; where the window is another it is painted. So it is where
// the terminal of the user would have to forget margins, as the job's has.
Status TerminalViewer::fit() {
  if (!begun_ || spec_.keys != Keys::attach) return {};
  const WindowSize job = size_of_job();
  const bool differs = job != terminal_->size();
  const bool as_painted = ends_.modes().alternate()
                              ? differs == (picture_ != nullptr) && (!picture_ || job == pictured_)
                              : !resized_at_ || !ends_.modes().has_margins();
  if (!as_painted) return repaint();
  resized_at_.reset();
  return {};
}

Status TerminalViewer::show_bytes(std::string_view bytes) {
  if (picture_) return show_in_picture(bytes);
  const bool was_alternate = ends_.modes().alternate();
  ends_.pass(bytes, out_);
  return was_alternate ? Status() : fit();
}

Status TerminalViewer::show_in_picture(std::string_view bytes) {
  const ScreenModes before = ends_.modes();
  std::string text;
  ends_.pass(bytes, text);
  if (!ends_.modes().alternate()) {
    out_ += before.to_reset();
    return repaint();
  }
  picture_->write(text);
  const WindowSize window = terminal_->size();
  const ScreenModes keys = ends_.modes().of_keys();
  out_ += picture_->paint_changes(window);
  if (keys != before.of_keys()) out_ += before.of_keys().to_reset() + keys.to_set();
  out_ += picture_->cursor(window);
  return {};
}

}  // namespace usvc
