#include "manager/terminal.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace usvc {

namespace {

constexpr std::int64_t longest_side = 10'000;
// A program that has written nothing for so long is done with drawing.
constexpr auto redraw_pause = std::chrono::milliseconds(60);
// After which one is taken for one that does not draw anew, or never stops.
constexpr auto redraw_patience = std::chrono::milliseconds(500);
constexpr auto redraw_look = std::chrono::milliseconds(20);

// The run that has the terminal and whose program is there: hooks are nobody's to type to.
const Run* typed_to(const Job& job) {
  const bool there = job.run && job.run->terminal && job.run->phase == Phase::main && !job.run->end;
  return there ? &*job.run : nullptr;
}

// A master is asked for the settings of its other side.
std::optional<TerminalModes> modes_of(FdRef master) {
  termios modes{};
  if (::tcgetattr(master.get(), &modes) != 0) return std::nullopt;
  TerminalModes view;
  view.opost = (modes.c_oflag & OPOST) != 0;
  view.onlcr = (modes.c_oflag & ONLCR) != 0;
  view.icanon = (modes.c_lflag & ICANON) != 0;
  view.isig = (modes.c_lflag & ISIG) != 0;
  return view;
}

// First the log's index, so that no answer of the program's is taken for older than the change.
void resize(Instance& instance, const Run& run, WindowSize size) {
  if (window_size(run.output) == size) return;
  instance.capture().resized(run.item_id());
  (void)set_window_size(run.output, size);
}

void apply_ruling_size(Instance& instance, Job& job) {
  for (const Viewer* viewer : job.viewers) {
    if (!viewer->may_type || !viewer->size) continue;
    // It has that size again once it is drawn anew.
    if (job.redrawing && job.window == *viewer->size) return job.changed();
    if (const Run* run = typed_to(job)) resize(instance, *run, *viewer->size);
    job.window = *viewer->size;
    return job.changed();
  }
}

}  // namespace

std::optional<WindowSize> window_from(std::optional<std::int64_t> rows, std::optional<std::int64_t> columns) {
  const auto fits = [](std::optional<std::int64_t> count) { return count && *count > 0 && *count <= longest_side; };
  if (!fits(rows) || !fits(columns)) return std::nullopt;
  return WindowSize{static_cast<std::uint16_t>(*rows), static_cast<std::uint16_t>(*columns)};
}

TerminalView terminal_view(Instance& instance, const Job& job) {
  TerminalView view;
  view.name = job.name;
  view.removed = job.removed;
  view.state = to_string(job.state);
  view.tty = job.conf_or_defaults().tty;
  WindowSize size = job.window;
  if (job.run) view.tty = job.run->terminal;
  if (const Run* run = typed_to(job)) {
    view.run_id = instance.record_of(job).run_id;
    view.pts = run->marks.tty_path;
    view.modes = modes_of(run->output);
    if (!job.redrawing) size = window_size(run->output).value_or(size);
  }
  view.rows = size.rows;
  view.columns = size.columns;
  return view;
}

void viewer_comes(Instance& instance, Job& job, Viewer& viewer, WindowSize size, bool again) {
  viewer.size = size;
  job.viewers.insert(again ? job.viewers.end() : job.viewers.begin(), &viewer);
  if (!again) apply_ruling_size(instance, job);
}

void viewer_resizes(Instance& instance, Job& job, Viewer& viewer, WindowSize size) {
  viewer.size = size;
  apply_ruling_size(instance, job);
}

bool viewer_types(Instance& instance, Job& job, Viewer& viewer) {
  const auto place = std::find(job.viewers.begin(), job.viewers.end(), &viewer);
  if (place == job.viewers.begin() || place == job.viewers.end()) return false;
  job.viewers.splice(job.viewers.begin(), job.viewers, place);
  const WindowSize before = job.window;
  apply_ruling_size(instance, job);
  return typed_to(job) != nullptr && job.window != before;
}

void viewer_leaves(Instance& instance, Job& job, Viewer& viewer) {
  std::erase(job.viewers, &viewer);
  apply_ruling_size(instance, job);
}

std::optional<std::size_t> type_into(const Job& job, std::string_view bytes) {
  const Run* run = typed_to(job);
  if (run == nullptr) return std::nullopt;
  const ssize_t written = ::write(run->output.get(), bytes.data(), bytes.size());
  if (written >= 0) return static_cast<std::size_t>(written);
  if (errno == EAGAIN || errno == EINTR) return 0;
  return std::nullopt;  // EIO: nobody has it open any more
}

namespace {

// Moves on with what the run writes.
off_t place_in_log(const Run& run) {
  return ::lseek(run.log.get(), 0, SEEK_CUR);
}

// Until the program has written more than there was at `place` and is done with that, or does not. False: it has
// written nothing.
asio::awaitable<bool> await_drawing(Instance* instance, std::shared_ptr<Job> job, std::string run_id, off_t place) {
  using Clock = std::chrono::steady_clock;
  asio::steady_timer look(instance->io());
  const auto deadline = Clock::now() + redraw_patience;
  std::optional<Clock::time_point> drawn;
  while (Clock::now() < deadline) {
    look.expires_after(redraw_look);
    (void)co_await look.async_wait(as_result);
    const Run* run = typed_to(*job);
    if (run == nullptr || run->run_id != run_id) break;
    const off_t now_at = place_in_log(*run);
    if (now_at != place)
      drawn = Clock::now();
    else if (drawn && Clock::now() - *drawn >= redraw_pause)
      break;
    place = now_at;
  }
  co_return drawn.has_value();
}

}  // namespace

asio::awaitable<void> have_redrawn(Instance* instance, std::shared_ptr<Job> job) {
  const Run* run = typed_to(*job);
  const auto size = run == nullptr ? std::nullopt : window_size(run->output);
  if (!size || size->rows < 2 || job->redrawing) co_return;
  const std::string run_id = run->run_id;
  job->redrawing = true;
  job->window = *size;  // which a manager before this one may have given it
  WindowSize smaller = *size;
  --smaller.rows;
  const off_t before = place_in_log(*run);
  instance->capture().resized(run->item_id());
  (void)set_passing_rows(run->output, *size, smaller.rows);
  (void)co_await await_drawing(instance, job, run_id, before);
  job->redrawing = false;
  run = typed_to(*job);
  // Somebody may have given it another size meanwhile.
  if (run == nullptr || run->run_id != run_id || window_size(run->output) != smaller) co_return;
  const off_t between = place_in_log(*run);
  resize(*instance, *run, *size);
  if (co_await await_drawing(instance, job, run_id, between)) co_return;
  // A program that looks for the signal just before it waits for keys can miss it there.
  run = typed_to(*job);
  if (run == nullptr || run->run_id != run_id) co_return;
  const pid_t foreground = ::tcgetpgrp(run->output.get());
  if (foreground > 0) (void)::kill(-foreground, SIGWINCH);
}

}  // namespace usvc
