#include "terminal/viewer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/files.h"
#include "base/text.h"

namespace usvc {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using boost::system::error_code;

namespace {

// A manager that is being replaced is not waited for longer before something is shown.
constexpr auto begin_patience = std::chrono::milliseconds(500);
// After which a program is taken for one that does not read.
constexpr auto stall_patience = std::chrono::seconds(1);
constexpr auto leave_patience = std::chrono::seconds(1);
constexpr auto answer_every = std::chrono::seconds(2);
// How long a notice stands on a full-screen program's last line.
constexpr auto notice_time = std::chrono::seconds(2);
// Whoever is further behind than that can't be reading.
constexpr std::uint64_t most_behind = std::uint64_t{1} << 20U;
// So much is on its way to the terminal at a time; whoever leaves may have to wait for it.
constexpr std::size_t most_at_once = std::size_t{16} << 10U;
constexpr int parts_at_once = 8;
// What is less is soon shown.
constexpr std::uint64_t least_skipped = std::uint64_t{64} << 10U;
constexpr std::uint64_t last_lines = std::uint64_t{4} << 10U;

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

stream_descriptor waiting_for(asio::io_context& io, FdRef fd) {
  return {io, duplicate(fd).release()};
}

}  // namespace

Result<ViewEnd> TerminalViewer::view(ViewerSpec spec) {
  auto terminal = UserTerminal::open("usvc log -f " + spec.job.name + " needs none");
  if (!terminal) return pass(terminal);
  auto log = LogHistory::open(spec.layout, spec.job.log, spec.warn);
  if (!log) return pass(log);
  auto watch = Watch::create();
  if (!watch) return pass(watch);
  TerminalViewer viewer(std::move(spec), std::move(*terminal), std::move(*log), std::move(*watch));
  return viewer.run();
}

TerminalViewer::TerminalViewer(ViewerSpec spec, std::unique_ptr<UserTerminal> terminal, LogHistory log, Watch watch)
    : spec_(std::move(spec)),
      terminal_(std::move(terminal)),
      log_(std::move(log)),
      watch_(std::move(watch)),
      journal_(spec_.layout.journal_dir, spec_.warn),
      remarks_(spec_.job.name),
      keys_(spec_.keys),
      link_(io_, {spec_.layout.socket, spec_.job.name, spec_.read_only, spec_.instance_runs},
            {[this](const TerminalView& view) { take_view(view); }, [this](const Error& error) { fail_with(error); }}),
      changes_(waiting_for(io_, watch_.fd())),
      over_(io_),
      input_(waiting_for(io_, terminal_->input())),
      output_(waiting_for(io_, terminal_->output())),
      signals_(io_),
      look_timer_(io_),
      begin_timer_(io_),
      stall_timer_(io_),
      leave_timer_(io_),
      repaint_timer_(io_),
      hold_timer_(io_) {
  run_begin_ = static_cast<std::uint64_t>(std::max<std::int64_t>(spec_.job.log_offset.value_or(0), 0));
}

Result<ViewEnd> TerminalViewer::run() {
  sigset_t heard;
  sigemptyset(&heard);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGCONT, SIGWINCH}) {
    if (is_ignored(signal)) continue;
    signals_.add(signal);
    sigaddset(&heard, signal);
  }
  // The caller may have held them back until now.
  if (::pthread_sigmask(SIG_UNBLOCK, &heard, nullptr) != 0) return fail(Error::last("cannot wait for signals"));
  if (auto status = begin_watching(); !status) return pass(status);
  if (auto status = terminal_->make_raw(); !status) return pass(status);
  await_signal();
  await_input();
  if (spec_.keys == Keys::run) await_run_over();
  link_.connect();
  begin_timer_.expires_after(begin_patience);
  begin_timer_.async_wait([this](error_code error) {
    if (!error) begin();
  });
  io_.run();
  std::string reset = ends_.modes().to_reset();
  const bool over_the_screen = spec_.keys == Keys::attach && begun_;
  if (over_the_screen && !ends_.modes().alternate()) reset += ends_.at_line_start() ? "\x1b[J" : "\r\n\x1b[J";
  terminal_->restore(reset);
  if (error_) return fail(std::move(*error_));
  return ending_.value_or(ViewEnd{});
}

Status TerminalViewer::begin_watching() {
  (void)journal_.skip_before(spec_.since);  // what can't be skipped is read
  return watch_.add_dir(directory_of(log_.log()));
}

// Once the manager has said how large the terminal is, or does not say it.
void TerminalViewer::begin() {
  if (std::exchange(begun_, true)) return;
  begin_timer_.cancel();
  position_ = run_begin_;
  if (spec_.keys == Keys::attach) {
    if (auto status = show_first(); !status) return fail_with(std::move(status).error());
  }
  link_.resize(terminal_->size());
  size_told_ = true;
  await_change();
  look();
}

void TerminalViewer::finish(ViewEnd end) {
  if (!ending_) ending_ = end;
  end_when_shown();
}

void TerminalViewer::fail_with(Error error) {
  if (!error_) error_ = std::move(error);
  end_when_shown();
}

// What is still to be shown is waited for, for a moment.
void TerminalViewer::end_when_shown() {
  if (out_.empty()) return io_.stop();
  leave_timer_.expires_after(leave_patience);
  leave_timer_.async_wait([this](error_code error) {
    if (!error) io_.stop();
  });
}

void TerminalViewer::await_change() {
  changes_.async_wait(stream_descriptor::wait_read, [this](error_code error) {
    if (error) return;
    look();
    await_change();
  });
}

// Not by the journal, which may have no room, and whose times are a clock's that may be set.
void TerminalViewer::await_run_over() {
  over_.assign(duplicate(spec_.run_over).release());
  over_.async_wait(stream_descriptor::wait_read, [this](error_code error) {
    if (error) return;
    run_over_ = true;
    if (!begun_) return begin();
    // It has gone on writing until the key had reached it.
    if (auto status = dropping_ ? skip_backlog() : Status(); !status) return fail_with(std::move(status).error());
    look();
  });
}

void TerminalViewer::look_again_later() {
  look_timer_.expires_after(Watch::look_anyway);
  look_timer_.async_wait([this](error_code error) {
    if (!error) look();
  });
}

void TerminalViewer::look() {
  watch_.taken();
  auto status = watch_.add_file(log_.log());
  if (status) status = follow_journal();
  if (status) status = show_new();
  if (!status) return fail_with(std::move(status).error());
  look_again_later();
}

Status TerminalViewer::follow_journal() {
  if (spec_.keys == Keys::run) return {};
  found_.clear();
  auto status = journal_.follow(watch_, [this](const Event& event, std::string_view) { return note(event); });
  if (!status || found_.empty()) return status;
  auto end = log_.end();
  if (!end) return pass(end);
  // One without a place of its own stands before the run that has begun since, else behind all there is.
  std::uint64_t at = std::max(*end, position_);
  for (auto placed = found_.rbegin(); placed != found_.rend(); ++placed) {
    if (placed->remark.log_offset) at = std::min(at, static_cast<std::uint64_t>(*placed->remark.log_offset));
    placed->at = at;
  }
  placed_.insert(placed_.end(), found_.begin(), found_.end());
  return {};
}

Status TerminalViewer::note(const Event& event) {
  if (event.t < spec_.since || event.job != spec_.job.name) return {};
  if (auto remark = remarks_.take(event)) found_.push_back({0, std::move(*remark)});
  return {};
}

// All that has come, in whichever file it is by now, as far as the terminal takes it; keys are looked at in between.
Status TerminalViewer::show_new() {
  bool all_shown = false;
  for (int parts = 0; out_.empty() && !ending_ && !held_; ++parts) {
    if (parts == parts_at_once) {
      show_more_later();
      break;
    }
    auto position = log_.catch_up(position_);
    if (!position) return pass(position);
    const bool moved = std::exchange(position_, *position) != *position;
    auto shown = show_part();
    if (!shown) return pass(shown);
    all_shown = !moved && !*shown;
    if (all_shown) break;
  }
  say_notices();
  missed_ += log_.take_missed();
  if (all_shown) dropping_ = false;
  if (!run_over_ || !all_shown) return {};
  finish({.why = ViewEnd::Why::run_over, .signal = 0, .interrupted = interrupted_, .missed = missed_});
  return {};
}

void TerminalViewer::show_more_later() {
  if (std::exchange(shows_more_, true)) return;
  asio::post(io_, [this] {
    shows_more_ = false;
    if (auto status = show_new(); !status) fail_with(std::move(status).error());
  });
}

// A terminal drops what it has not shown yet when a key ends the program; what that says to its end is in the last
// lines.
Status TerminalViewer::skip_backlog() {
  auto end = log_.end();
  if (!end) return pass(end);
  if (!begun_ || *end < position_ + least_skipped || ends_.modes().alternate()) return {};
  auto begin = log_.line_begin(*end - last_lines);
  if (!begin) return pass(begin);
  // Lines may be longer than all that is left out.
  const std::uint64_t at = std::max(*begin, *end - std::min(*end, least_skipped));
  const std::uint64_t skipped = at - std::min(at, position_);
  position_ += skipped;
  // What is cut here may be a control sequence, and colours.
  ends_.pass(ends_.screen().at_rest() ? "\x1b[m" : "\x18\x1b[m", out_);
  notice(format_size(skipped) + " of output left out here: usvc log " + spec_.job.name + " shows all of it");
  return {};
}

// Up to the next remark, with it; or what can be read at once. False: there is nothing.
Result<bool> TerminalViewer::show_part() {
  std::string bytes;
  std::uint64_t position = position_;
  std::uint64_t until = placed_.empty() ? Span::no_end : placed_.front().at;
  if (held_end_ > position) until = std::min(until, held_end_);
  auto more = log_.read(position, until, bytes, most_at_once);
  if (!more) return more;
  if (*more && hold(bytes, position)) return false;
  position_ = position;
  if (!*more) {
    if (placed_.empty()) return false;
    const Remark remark = std::move(placed_.front().remark);
    placed_.pop_front();
    place(remark);
    return true;
  }
  const bool was_alternate = ends_.modes().alternate();
  if (auto status = show_bytes(bytes); !status) return pass(status);
  flush();
  ask_for_modes(was_alternate);
  return true;
}

void TerminalViewer::place(const Remark& remark) {
  if (remark.run_over) {
    // What the program has left on is not the next one's.
    if (ends_.modes() != ScreenModes()) out_ += ends_.modes().to_reset();
    ends_.begin_anew();
    picture_.reset();
    if (remark.log_offset) run_begin_ = static_cast<std::uint64_t>(*remark.log_offset);
  }
  if (!remark.text.empty()) notice(remark.text);
  if (remark.removed) finish({.why = ViewEnd::Why::removed});
}

void TerminalViewer::flush() {
  while (!out_.empty()) {
    const auto written = terminal_->write_some(out_);
    if (!written) return fail_with(written.error());
    out_.erase(0, *written);
    if (*written == 0) return await_output();
  }
  if (ending_ || error_) io_.stop();
}

void TerminalViewer::await_output() {
  if (std::exchange(awaits_output_, true)) return;
  output_.async_wait(stream_descriptor::wait_write, [this](error_code error) {
    awaits_output_ = false;
    if (error) return;
    flush();
    if (!out_.empty()) return;
    const auto end = log_.end();
    const bool behind = spec_.keys == Keys::attach && end && *end > position_ + most_behind;
    auto status = behind ? repaint() : Status();
    if (status) status = show_new();
    if (!status) fail_with(std::move(status).error());
  });
}

void TerminalViewer::await_input() {
  if (awaits_input_ || leaving_) return;
  if (link_.pending() >= TerminalLink::most_pending && !stalled_) {
    stall_timer_.expires_after(stall_patience);
    stall_timer_.async_wait([this](error_code error) {
      if (error) return;
      stalled_ = link_.pending() >= TerminalLink::most_pending;
      await_input();
    });
    return;
  }
  awaits_input_ = true;
  input_.async_wait(stream_descriptor::wait_read, [this](error_code error) {
    awaits_input_ = false;
    if (!error) read_keys();
  });
}

void TerminalViewer::read_keys() {
  std::array<char, 4096> bytes{};
  const ssize_t got = ::read(terminal_->input().get(), bytes.data(), bytes.size());
  if (got > 0) {
    take_keys({bytes.data(), static_cast<std::size_t>(got)});
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    return take_signal(SIGHUP);  // the terminal is gone
  }
  await_input();
}

void TerminalViewer::take_keys(std::string_view bytes) {
  const bool signals = !last_view_ || !last_view_->modes || last_view_->modes->isig;
  const Typed typed = keys_.take(bytes, signals);
  if (typed.held_back) notice("Use usvc stop to terminate this process");
  if (!typed.bytes.empty()) answer_keys();
  if (!typed.bytes.empty() && !spec_.read_only && !stalled_) link_.type(typed.bytes);
  if (typed.interrupts) {
    interrupted_ = dropping_ = true;
    if (auto status = skip_backlog(); !status) return fail_with(std::move(status).error());
  }
  if (typed.leave) leave();
}

// Where nobody hears what is typed that is said, now and then.
void TerminalViewer::answer_keys() {
  std::string words;
  if (spec_.read_only)
    words = "Looking only: keys are not passed on (Ctrl-D leaves)";
  else if (stalled_)
    words = spec_.job.name + " does not read what is typed: it is lost (Ctrl-D leaves)";
  else if (last_view_ && !last_view_->tty)
    words = spec_.job.name + " has no terminal (--no-tty): nobody reads what is typed (Ctrl-D leaves)";
  else if (last_view_ && !last_view_->run_id)
    words = spec_.job.name + " does not run: nobody reads what is typed (Ctrl-D leaves)";
  if (words.empty() || spec_.keys == Keys::run) return;
  const auto now = Clock::now();
  if (answered_at_ && now - *answered_at_ < answer_every) return;
  answered_at_ = now;
  notice(words);
}

// What was typed before is still to reach the program.
void TerminalViewer::leave() {
  leaving_ = true;
  if (link_.pending() == 0 || stalled_) return finish({.why = ViewEnd::Why::left});
  leave_timer_.expires_after(leave_patience);
  leave_timer_.async_wait([this](error_code error) {
    if (!error) finish({.why = ViewEnd::Why::left, .unsent = link_.pending()});
  });
}

void TerminalViewer::take_view(const TerminalView& view) {
  const bool trusted = view.asked >= trusted_ask_;
  const bool same_size = !last_view_ || (view.rows == last_view_->rows && view.columns == last_view_->columns);
  if (begun_ && !same_size) resized_at_ = position_;
  last_view_ = view;
  const bool awaited = trusted && held_;
  if (awaited)
    go_on(view.modes.value_or(TerminalModes()));
  else if (trusted && view.modes)
    ends_.set_modes(*view.modes);
  if (!begun_) begin();
  auto status = fit();
  if (status && awaited) status = show_new();
  if (!status) return fail_with(std::move(status).error());
  if (leaving_ && link_.pending() == 0) return finish({.why = ViewEnd::Why::left});
  if (link_.pending() < TerminalLink::most_pending) stalled_ = false;
  await_input();
}

void TerminalViewer::await_signal() {
  signals_.async_wait([this](error_code error, int signal) {
    if (error) return;
    take_signal(signal);
    await_signal();
  });
}

void TerminalViewer::take_signal(int signal) {
  switch (signal) {
    case SIGWINCH:
      if (begun_) link_.resize(terminal_->size());
      if (auto status = picture_ ? repaint() : Status(); !status) fail_with(std::move(status).error());
      return;
    case SIGTSTP:
      return suspend();
    case SIGCONT:  // whoever had the terminal meanwhile has set it up differently
      (void)terminal_->make_raw();
      if (begun_ && spec_.keys == Keys::attach) (void)repaint();
      return;
    default:
      if (spec_.on_signal) spec_.on_signal(signal);
      // Without a terminal nothing is left to be shown.
      if (spec_.on_signal && signal != SIGHUP) return;
      ending_ = ViewEnd{.why = ViewEnd::Why::signalled, .signal = signal};
      io_.stop();
  }
}

void TerminalViewer::suspend() {
  terminal_->restore(ends_.modes().to_reset());
  (void)::raise(SIGSTOP);
}

void TerminalViewer::notice(const std::string& text) {
  notices_.push_back("## " + text + " ##");
  say_notices();
}

// Not in the middle of a character or a control sequence.
void TerminalViewer::say_notices() {
  if (notices_.empty() || !ends_.screen().at_rest()) return;
  for (const auto& text : notices_) {
    if (ends_.modes().alternate()) {
      const WindowSize size = terminal_->size();
      out_ +=
          "\x1b"
          "7" +
          std::string(ends_.modes().origin() && !picture_ ? "\x1b[?6l" : "") + "\x1b[" + std::to_string(size.rows) +
          ";1H\x1b[0;7m" + text.substr(0, size.columns) +
          "\x1b[0m\x1b[K\x1b"
          "8";
      repaint_timer_.expires_after(notice_time);
      repaint_timer_.async_wait([this](error_code error) {
        if (!error && ends_.modes().alternate()) (void)repaint();
      });
    } else {
      out_ += (ends_.at_line_start() ? "" : "\r\n") + text + "\r\n";
      ends_.line_written();
    }
  }
  notices_.clear();
  flush();
}

}  // namespace usvc
