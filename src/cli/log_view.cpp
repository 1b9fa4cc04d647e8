#include "cli/log_view.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <queue>
#include <utility>

#include "base/files.h"
#include "base/time.h"
#include "base/watch.h"
#include "cli/remote.h"
#include "cli/terminal.h"
#include "job/run_id.h"
#include "journal/reader.h"

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

// A line may be rewritten in place for hours: what matters of that is the end. Of one that is just long the beginning
// is shown.
std::string_view latest_of(std::string_view line) {
  constexpr std::size_t enough_to_see = 4096;
  if (line.size() <= enough_to_see) return line;
  const std::size_t from = line.find('\r', line.size() - enough_to_see);
  return from == std::string_view::npos ? line.substr(0, enough_to_see) : line.substr(from);
}

}  // namespace

LogView::LogView(const Context& context, const LogOptions& options, std::vector<std::string> words)
    : context_(&context),
      options_(&options),
      words_(std::move(words)),
      remarks_shown_(context.out.is_tty() && !context.json && !options.raw && !options.grep),
      output_(context, options.pager && !options.follow && !options.raw && !context.json,
              options.lines ? PagerBegin::end : PagerBegin::top) {}

bool LogView::has_entry(const std::string& log) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry->lines.path() == log; });
}

bool LogView::awaits(const std::string& log) const {
  return has_entry(log) ||
         std::any_of(awaited_.begin(), awaited_.end(), [&](const AwaitedLog& awaited) { return awaited.path == log; });
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

Result<std::unique_ptr<LogView::Entry>> LogView::make_entry(const std::string& log, std::size_t job,
                                                            OutputStream stream) {
  auto history = LogHistory::open(context_->layout, log, complain);
  if (!history) return pass(history);
  // NOLINTNEXTLINE: an aggregate, which make_unique can't make
  return std::unique_ptr<Entry>(new Entry{job, stream, LogStream(std::move(*history), *options_)});
}

Result<LogView::Found> LogView::find_run(const JobView& job, LogStream& lines, std::optional<RunChoice>& run) {
  std::int64_t last_run = 0;
  bool silent_id = true;  // a run that has written nothing may be the one that is meant
  if (run) {
    auto last = lines.last_run();
    if (!last) return pass(last);
    // A run that has not written anything is in no log.
    const auto last_id = job.run_id ? parse_run_id(*job.run_id) : Result<RunId>(RunId());
    last_run = last_id ? static_cast<std::int64_t>(last_id->number) : 0;
    // A log that has higher numbers has seen another job of that name: only its runs can be counted.
    if (run->number < 0 && *last <= last_run) run->number += last_run + 1;
    silent_id =
        !run->nonce || (last_id && last_id->nonce == *run->nonce && std::cmp_equal(last_id->number, run->number));
  }
  auto selected = lines.select(run);
  if (!selected) return pass(selected);
  if (*selected) return Found::output;
  if (run->number < 1 || run->number > last_run || !silent_id) return Found::nothing;
  auto silent = lines.select_silent(run->number);
  if (!silent) return pass(silent);
  return *silent ? Found::silence : Found::nothing;
}

Status LogView::add_job(const JobView& job, std::optional<RunChoice> run) {
  auto entry = make_entry(job.log, jobs_, OutputStream::standard);
  if (!entry) return pass(entry);
  LogStream& lines = (*entry)->lines;
  auto found = find_run(job, lines, run);
  if (!found) return pass(found);
  if (*found == Found::nothing) return {};
  if (run && *found == Found::output) {
    auto mark = lines.mark_at_begin();
    if (!mark) return pass(mark);
    if (*mark) run = RunChoice{(*mark)->run, (*mark)->nonce};
    if (auto status = look_for_beginning(job.name, **entry); !status) return status;
  }
  if (*found == Found::output || options_->follow) {
    if (auto status = speak_of(job, **entry, run); !status) return status;
  }
  entries_.push_back(std::move(*entry));
  if (job.error_log) {
    if (auto status = add_error_log(job, run); !status) return status;
  }
  ++jobs_;
  (void)printer_->add_job(job.name);
  return {};
}

// Where older files have gone, or somebody has cut the log, only the journal knows where the run began.
Status LogView::look_for_beginning(const std::string& job, Entry& entry) {
  if (options_->follow) return {};
  auto first = entry.lines.first_of_run();
  if (!first) return pass(first);
  if (!*first) return {};
  auto mark = entry.lines.mark_at_begin();
  if (!mark) return pass(mark);
  if (!*mark) return {};
  const std::string run_id = make_run_id(job, (*mark)->run, (*mark)->nonce);
  std::uint64_t began = **first;
  JournalReader journal(context_->layout.journal_dir, complain);
  const auto look = [&](const Event& event, std::string_view) -> Status {
    const auto& offset = entry.stream == OutputStream::error ? event.error_log_offset : event.log_offset;
    if (event.event == "starting" && event.run_id == run_id && offset) {
      began = static_cast<std::uint64_t>(std::max<std::int64_t>(*offset, 0));
    }
    return {};
  };
  if (auto status = journal.read(look); !status) return status;
  if (began >= **first) return {};
  complain(fmt::format("the first {} bytes of run {} are in no file any more", **first - began, run_id));
  beheaded_ = true;
  return {};
}

Status LogView::add_error_log(const JobView& job, const std::optional<RunChoice>& run) {
  const std::string& log = *job.error_log;
  if (has_entry(log)) return {};
  if (!has_files(context_->layout, log)) {
    awaited_.push_back({log, jobs_});
    return {};
  }
  auto errors = make_entry(log, jobs_, OutputStream::error);
  if (!errors) return pass(errors);
  auto wrote = (*errors)->lines.select(run);
  if (!wrote) return pass(wrote);
  if (!*wrote && options_->follow) {
    if (auto status = (*errors)->lines.skip_all(); !status) return status;
  }
  if (*wrote && run) {
    if (auto status = look_for_beginning(job.name, **errors); !status) return status;
  }
  if (*wrote || options_->follow) entries_.push_back(std::move(*errors));
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
    spoken.run_id = make_run_id(job.name, (*mark)->run, (*mark)->nonce);
    spoken.from_us = (*mark)->time_us - 60'000'000;
  } else if (options_->since_us) {
    spoken.from_us = *options_->since_us;
  } else if (*later) {
    spoken.from_us = *mark ? (*mark)->time_us : unix_now_us();
  }
  spoken_.push_back(std::move(spoken));
  return {};
}

bool LogView::left_out() const {
  return beheaded_ ||
         std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) { return entry->lines.left_out(); });
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
  erase_below(text);
  auto status = output_.write(text);
  text.clear();
  return status;
}

// Before `text`, and without control sequences that a simple terminal might not know.
void LogView::erase_below(std::string& text) {
  if (below_.empty()) return;
  const std::size_t width = display_width(tame(below_, false));
  text.insert(0, "\r" + std::string(width, ' ') + "\r");
  below_.clear();
}

// The one that has just written to its line, else any that has one.
LogView::Entry* LogView::still_written() {
  Entry* any = nullptr;
  Entry* latest = nullptr;
  for (const auto& entry : entries_) {
    const std::size_t size = entry->lines.unfinished().size();
    const bool grown = std::exchange(entry->unfinished, size) != size;
    if (size == 0) continue;
    any = entry.get();
    if (grown) latest = entry.get();
    if (below_from_ == entry.get() && latest == nullptr) any = below_from_;
  }
  return latest != nullptr ? latest : any;
}

// On a terminal the line that is still being written stands below the others, as far as it fits.
Status LogView::show_unfinished() {
  if (!context_->out.is_tty() || options_->raw || options_->grep || context_->json) return {};
  below_from_ = still_written();
  std::string below;
  if (below_from_ != nullptr) {
    LogLine line;
    line.text = latest_of(below_from_->lines.unfinished());
    line.time_us = unix_now_us();
    below = printer_->unfinished(below_from_->job, below_from_->stream, line);
  }
  if (below == below_) return {};
  std::string text = below;
  erase_below(text);
  below_ = std::move(below);
  return output_.write(text);
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
    within_line_ = !bytes.ends_with('\n');
    bytes.clear();
  }
}

// The journal is looked into from the first moment on that is spoken of.
void LogView::make_remarks(std::int64_t until_us) {
  std::int64_t since = unix_now_us();
  for (const auto& one : spoken_) since = std::min(since, remarks_shown_ ? one.from_us : since);
  remarks_.emplace(*context_, since);
  for (auto& one : spoken_) remarks_->add_job(one.name, one.from_us, until_us, std::move(one.run_id));
}

Status LogView::show() {
  if (untouched()) return pass_on_bytes();
  if (remarks_shown_ && !spoken_.empty()) {
    make_remarks(options_->until_us.value_or(LogRemarks::end_of_time));
    if (auto status = remarks_->read(); !status) return status;
  }
  if (auto status = merge(true); !status) return status;
  return output_.finish();
}

// Jobs that have begun since, and what old ones have begun to keep apart.
Status LogView::add_new_jobs() {
  auto jobs = look_at(*context_, words_);
  // It may be that none is left, or that the manager is being replaced: the next one that begins brings us here again.
  if (!jobs) return {};
  for (const auto& job : *jobs) {
    const auto known = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& entry) { return entry->lines.path() == job.log; });
    if (job.error_log && !awaits(*job.error_log)) {
      awaited_.push_back({*job.error_log, known == entries_.end() ? jobs_ : (*known)->job});
    }
    if (known != entries_.end()) continue;
    auto entry = make_entry(job.log, jobs_, OutputStream::standard);
    if (!entry) return pass(entry, "cannot show the log of " + job.name);
    entries_.push_back(std::move(*entry));
    ++jobs_;
    (void)printer_->add_job(job.name);
    remarks_->add_job(job.name, unix_now_us() - 60'000'000, LogRemarks::end_of_time, {});
  }
  return {};
}

Status LogView::add_awaited_logs() {
  for (auto awaited = awaited_.begin(); awaited != awaited_.end();) {
    if (::access(awaited->path.c_str(), F_OK) != 0) {
      ++awaited;
      continue;
    }
    auto entry = make_entry(awaited->path, awaited->job, OutputStream::error);
    if (!entry) return pass(entry, "cannot show " + awaited->path);
    // From now on there are lines, and what has been passed on is not to run into the first.
    if (std::exchange(within_line_, false) && !options_->raw) printer_->text() += '\n';
    entries_.push_back(std::move(*entry));
    awaited = awaited_.erase(awaited);
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
  auto watch = Watch::create();
  if (!watch) return pass(watch);
  make_remarks(LogRemarks::end_of_time);
  for (bool first = true;; first = false) {
    for (const auto& entry : entries_) {
      if (auto status = watch->add_dir(directory_of(entry->lines.path())); !status) return status;
    }
    if (auto status = remarks_->follow(*watch); !status) return status;
    if (remarks_->take_begun() && !first) {
      if (auto status = add_new_jobs(); !status) return status;
    }
    if (auto status = add_awaited_logs(); !status) return status;
    for (bool moved = true; moved;) {
      auto elsewhere = catch_up(*watch);
      if (!elsewhere) return pass(elsewhere);
      moved = *elsewhere;
      if (auto status = untouched() ? pass_on_bytes() : merge(false); !status) return status;
      for (const auto& entry : entries_) {
        const auto missed = entry->lines.take_missed();
        if (missed > 0) complain(missed_output(entry->lines.path(), missed).message());
      }
    }
    if (auto status = show_unfinished(); !status) return status;
    auto waited = watch->wait(Watch::look_anyway, {}, FdRef(STDOUT_FILENO));
    if (!waited) return pass(waited);
    if (auto status = end_without_reader(); !status) return status;
  }
}

}  // namespace usvc
