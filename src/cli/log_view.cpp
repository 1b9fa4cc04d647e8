#include "cli/log_view.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <queue>

#include "base/files.h"
#include "base/time.h"
#include "base/watch.h"
#include "cli/interrupt.h"
#include "cli/remote.h"
#include "job/run_id.h"

namespace usvc {

namespace {

constexpr std::size_t enough = std::size_t{64} << 10U;

// Each log holds its live file open.
void allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);  // raising the soft limit to the hard one is always allowed
}

bool has_files(const Layout& layout, const std::string& log) {
  if (::access(log.c_str(), F_OK) == 0) return true;
  const auto files = log_files(layout, log);
  return files && files->size() > 1;
}

}  // namespace

LogView::LogView(const Context& context, const LogOptions& options, std::vector<std::string> words)
    : context_(&context),
      options_(&options),
      words_(std::move(words)),
      remarks_shown_(context.out.is_tty() && !context.json && !options.raw && !options.grep),
      output_(context, options.pager && !options.follow && !options.raw && !context.json) {}

bool LogView::has_entry(const std::string& log) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry->lines.path() == log; });
}

Status LogView::add_jobs(const std::vector<JobView>& jobs, const std::optional<RunChoice>& run) {
  allow_many_files();
  whole_selection_ = jobs.size() == 1 && words_.size() == 1 && words_.front() == jobs.front().name;
  LogStyle style;
  style.names = options_->follow ? !whole_selection_ : jobs.size() > 1;
  style.timestamps = options_->timestamps;
  style.raw = options_->raw;
  printer_.emplace(*context_, style);
  for (const auto& job : jobs) {
    if (auto status = add_job(job, run); !status) return pass(status, "cannot show the log of " + job.name);
  }
  if (!entries_.empty() || !run) return {};
  const std::string which =
      run->number < 0 ? fmt::format("no {} runs", -run->number) : fmt::format("no run {}", run->number);
  return fail(Error((jobs.size() == 1 ? "the log of " + jobs.front().name + " knows " : "the logs know ") + which)
                  .hint("usvc events shows which there were"));
}

Result<std::unique_ptr<LogView::Entry>> LogView::make_entry(const std::string& log, OutputStream stream) {
  auto history = LogHistory::open(context_->layout, log, complain);
  if (!history) return pass(history);
  // NOLINTNEXTLINE: an aggregate, which make_unique can't make
  return std::unique_ptr<Entry>(new Entry{jobs_, stream, LogStream(std::move(*history), *options_)});
}

Status LogView::add_job(const JobView& job, const std::optional<RunChoice>& run) {
  auto entry = make_entry(job.log, OutputStream::standard);
  if (!entry) return pass(entry);
  auto selected = (*entry)->lines.select(run);
  if (!selected) return pass(selected);
  if (!*selected) return {};
  auto mark = (*entry)->lines.mark_at_begin();
  if (!mark) return pass(mark);
  std::optional<RunChoice> same = run;
  if (run && *mark) same = RunChoice{(*mark)->run, (*mark)->nonce};
  if (auto status = speak_of(job, **entry, run); !status) return status;
  entries_.push_back(std::move(*entry));
  const std::string error_log = error_log_of(job.log);
  if (!job.tty && !has_entry(error_log) && has_files(context_->layout, error_log)) {
    auto errors = make_entry(error_log, OutputStream::error);
    if (!errors) return pass(errors);
    auto wrote = (*errors)->lines.select(same);
    if (!wrote) return pass(wrote);
    if (*wrote) entries_.push_back(std::move(*errors));
  }
  ++jobs_;
  (void)printer_->add_job(job.name);
  return {};
}

// What is remarked begins with the first line that is shown, or long ago where all of them are.
Status LogView::speak_of(const JobView& job, Entry& entry, const std::optional<RunChoice>& run) {
  if (!remarks_shown_ && !options_->follow) return {};
  auto mark = entry.lines.mark_at_begin();
  if (!mark) return pass(mark);
  auto later = entry.lines.begins_later();
  if (!later) return pass(later);
  Spoken spoken{job.name, 0, {}};
  if (run && *mark && !options_->follow) {
    spoken.run_id = make_run_id(job.name, (*mark)->run, fmt::format("{:08x}", (*mark)->nonce));
    spoken.from_us = (*mark)->time_us - 60'000'000;
  } else if (options_->since_us) {
    spoken.from_us = *options_->since_us;
  } else if (*later) {
    spoken.from_us = *mark ? (*mark)->time_us : unix_now_us();
  }
  spoken_.push_back(std::move(spoken));
  return {};
}

bool LogView::untouched() const {
  if (entries_.size() != 1 || context_->json || options_->grep) return false;
  if (options_->follow && !whole_selection_) return false;
  return options_->raw ||
         (!context_->out.is_tty() && !options_->timestamps && entries_.front()->stream == OutputStream::standard);
}

Status LogView::next(Entry& entry, bool rest) {
  auto found = entry.lines.next(rest);
  if (!found) return pass(found);
  entry.has_line = *found;
  if (entry.has_line) entry.time_us = std::max(entry.time_us, entry.lines.line().time_us.value_or(0));
  return {};
}

Status LogView::put_remarks(std::int64_t up_to) {
  while (remarks_) {
    const auto text = remarks_->take(up_to);
    if (!text) return {};
    if (remarks_shown_) printer_->add_remark(*text);
  }
  return {};
}

Status LogView::flush() {
  std::string& text = printer_->text();
  if (text.empty()) return {};
  auto status = output_.write(text);
  text.clear();
  return status;
}

// All lines that are there, the oldest first.
Status LogView::merge(bool rest) {
  using Key = std::pair<std::int64_t, std::size_t>;
  std::priority_queue<Key, std::vector<Key>, std::greater<>> order;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (auto status = next(*entries_[i], rest); !status) return status;
    if (entries_[i]->has_line) order.emplace(entries_[i]->time_us, i);
  }
  while (!order.empty() && !output_.left()) {
    const auto [time_us, i] = order.top();
    order.pop();
    Entry& entry = *entries_[i];
    if (auto status = put_remarks(time_us); !status) return status;
    printer_->add(entry.job, entry.stream, entry.lines.line());
    if (printer_->text().size() >= enough) {
      if (auto status = flush(); !status) return status;
    }
    if (auto status = next(entry, rest); !status) return status;
    if (entry.has_line) order.emplace(entry.time_us, i);
  }
  if (auto status = put_remarks(LogRemarks::end_of_time); !status) return status;
  return flush();
}

Status LogView::pass_on_bytes() {
  std::string bytes;
  for (;;) {
    auto more = entries_.front()->lines.read(bytes);
    if (!more) return pass(more);
    if (!*more) return {};
    if (auto status = output_.write(bytes); !status) return status;
    bytes.clear();
  }
}

Status LogView::show() {
  if (untouched()) return pass_on_bytes();
  if (remarks_shown_ && !spoken_.empty()) {
    std::int64_t since = LogRemarks::end_of_time;
    for (const auto& one : spoken_) since = std::min(since, one.from_us);
    remarks_.emplace(*context_, since);
    const std::int64_t until = options_->until_us.value_or(LogRemarks::end_of_time);
    for (auto& one : spoken_) remarks_->add_job(one.name, one.from_us, until, std::move(one.run_id));
    if (auto status = remarks_->read(); !status) return status;
  }
  if (auto status = merge(true); !status) return status;
  return output_.finish();
}

// Jobs that have begun since, and what old ones have begun to keep apart.
Status LogView::add_new_jobs() {
  if (whole_selection_) return {};
  auto jobs = look_at(*context_, words_);
  // It may be that none is left, or that the manager is being replaced: the next one that begins brings us here again.
  if (!jobs) return {};
  for (const auto& job : *jobs) {
    if (has_entry(job.log)) continue;
    auto entry = make_entry(job.log, OutputStream::standard);
    if (!entry) return pass(entry, "cannot show the log of " + job.name);
    entries_.push_back(std::move(*entry));
    ++jobs_;
    (void)printer_->add_job(job.name);
    remarks_->add_job(job.name, unix_now_us() - 60'000'000, LogRemarks::end_of_time, {});
  }
  return {};
}

// True: reading goes on in another file, so there may be more.
Result<bool> LogView::catch_up(Watch& watch) {
  bool moved = false;
  const std::int64_t now = unix_now_us();
  for (const auto& entry : entries_) {
    const std::string& path = entry->lines.path();
    if (auto status = watch.add_file(path); !status) return pass(status);
    auto elsewhere = entry->lines.catch_up(now);
    if (!elsewhere) return elsewhere;
    moved = moved || *elsewhere;
  }
  return moved;
}

Status LogView::follow() {
  auto interrupt = Interrupt::create();
  if (!interrupt) return pass(interrupt);
  auto watch = Watch::create();
  if (!watch) return pass(watch);
  std::int64_t since = unix_now_us();
  for (const auto& one : spoken_) since = std::min(since, remarks_shown_ ? one.from_us : since);
  remarks_.emplace(*context_, since);
  for (auto& one : spoken_) remarks_->add_job(one.name, one.from_us, LogRemarks::end_of_time, {});
  for (bool first = true;; first = false) {
    for (const auto& entry : entries_) {
      if (auto status = watch->add_dir(directory_of(entry->lines.path())); !status) return status;
    }
    if (auto status = remarks_->follow(*watch); !status) return status;
    if (remarks_->take_begun() && !first) {
      if (auto status = add_new_jobs(); !status) return status;
    }
    for (bool moved = true; moved;) {
      if (interrupt->take()) return {};
      auto elsewhere = catch_up(*watch);
      if (!elsewhere) return pass(elsewhere);
      moved = *elsewhere;
      if (auto status = untouched() ? pass_on_bytes() : merge(false); !status) return status;
    }
    auto waited = watch->wait(Watch::look_anyway, interrupt->fd());
    if (!waited) return pass(waited);
  }
}

}  // namespace usvc
