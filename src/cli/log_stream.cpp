#include "cli/log_stream.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace usvc {

Result<std::optional<std::uint64_t>> LogStream::first_of_run() {
  auto begin = history_.begin();
  if (!begin) return pass(begin);
  return *begin > 0 && *begin == span_.begin ? std::optional(*begin) : std::nullopt;
}

Result<bool> LogStream::select(const std::optional<RunChoice>& run) {
  span_ = Span();
  if (run) {
    auto found = history_.run(run->number, run->nonce);
    if (!found) return pass(found);
    if (!*found) return false;
    span_ = **found;
    // Whoever follows a run sees what comes after it too.
    if (options_->follow) span_.end = Span::no_end;
  }
  if (options_->since_us) {
    auto from = history_.since(*options_->since_us);
    if (!from) return pass(from);
    auto line = line_begin(*from);
    if (!line) return pass(line);
    span_.begin = std::max(span_.begin, *line);
  }
  if (options_->until_us) {
    auto to = history_.until(*options_->until_us);
    if (!to) return pass(to);
    auto line = *to == Span::no_end ? to : line_end(*to);
    if (!line) return pass(line);
    span_.end = std::min(span_.end, *line);
  }
  if (options_->lines) {
    auto from = options_->grep ? last_matching(*options_->lines) : last_lines(*options_->lines);
    if (!from) return pass(from);
    span_.begin = std::max(span_.begin, *from);
  }
  if (span_.begin == 0) {
    auto begin = history_.begin();
    if (!begin) return pass(begin);
    span_.begin = *begin;
  }
  (void)history_.take_missed();
  return true;
}

Result<std::int64_t> LogStream::last_run() {
  auto last = history_.run(-1);
  if (!last) return pass(last);
  if (!*last) return 0;
  auto mark = history_.at((*last)->begin);
  if (!mark) return pass(mark);
  return *mark ? std::int64_t{(*mark)->run} : 0;
}

Result<bool> LogStream::select_silent(std::int64_t number) {
  auto other = history_.run(number);  // with another nonce
  if (!other) return pass(other);
  if (*other) return false;
  auto begin = history_.begin();
  if (!begin) return pass(begin);
  auto first = history_.at(*begin);
  if (!first) return pass(first);
  auto end = history_.end();
  if (!end) return pass(end);
  const bool empty = *begin == *end && ::access(history_.log().c_str(), F_OK) == 0;
  const bool known = empty || (*first && (*first)->run != 0);
  const bool reaches_back = *begin == 0 || (*first && (*first)->run < number);
  if (!known || !reaches_back) return false;
  if (auto status = skip_all(); !status) return pass(status);
  if (!options_->follow) span_.end = span_.begin;
  return true;
}

Status LogStream::skip_all() {
  auto end = history_.end();
  if (!end) return pass(end);
  span_ = {*end, Span::no_end};
  return {};
}

Result<bool> LogStream::begins_later() {
  auto begin = history_.begin();
  if (!begin) return pass(begin);
  return span_.begin > *begin;
}

// Where the last so many lines begin; a run's last line ends with it.
Result<std::uint64_t> LogStream::last_lines(std::size_t lines) {
  auto from = history_.tail(lines, span_);
  if (!from || options_->raw || lines == 0) return from;
  const Span all = span_;
  auto found = matches_within({std::max(all.begin, *from), all.end}, lines);
  span_ = all;
  forget_read();
  if (!found) return pass(found);
  return found->size() < lines ? *from : found->front();
}

Result<std::uint64_t> LogStream::line_begin(std::uint64_t position) {
  auto line = history_.line_begin(position);
  if (!line || options_->raw) return line;
  auto runs = run_begins(*line, position);
  if (!runs) return pass(runs);
  return runs->empty() ? *line : runs->back();
}

Result<std::uint64_t> LogStream::line_end(std::uint64_t position) {
  auto line = history_.line_end(position);
  if (!line || options_->raw || position == 0) return line;
  auto runs = run_begins(position - 1, *line);
  if (!runs) return pass(runs);
  return runs->empty() ? *line : runs->front();
}

// Where other runs begin behind `first`, up to `last`.
Result<std::deque<std::uint64_t>> LogStream::run_begins(std::uint64_t first, std::uint64_t last) {
  std::deque<std::uint64_t> found;
  for (std::uint64_t position = last; position > first;) {
    auto mark = history_.at(position);
    if (!mark) return pass(mark);
    if (!*mark || (*mark)->position <= first) break;
    position = (*mark)->position;
    auto before = history_.at(position - 1);
    if (!before) return pass(before);
    const bool other = *before && ((*before)->run != (*mark)->run || (*before)->nonce != (*mark)->nonce);
    if (other && (*mark)->run != 0) found.push_front(position);
    --position;
  }
  return found;
}

void LogStream::forget_read() {
  buffer_.clear();
  begin_ = scanned_ = 0;
}

// Where the last so many lines that match begin. They are looked for in more and more of it: most often they are near
// its end.
Result<std::uint64_t> LogStream::last_matching(std::size_t lines) {
  constexpr std::uint64_t first_looked_at = std::uint64_t{4} << 20U;
  const Span all = span_;
  auto first = history_.begin();
  if (!first) return pass(first);
  auto last = history_.end();
  if (!last) return pass(last);
  const std::uint64_t begin = std::max(all.begin, *first);
  const std::uint64_t end = std::min(all.end, *last);
  for (std::uint64_t part = first_looked_at;; part *= 8) {
    Result<std::uint64_t> from = begin;
    if (end > begin + part) from = history_.line_begin(end - part);
    if (!from) return from;
    auto found = matches_within({std::max(*from, begin), all.end}, lines);
    if (!found) return pass(found);
    if (*from > begin && found->size() < lines) continue;
    const std::uint64_t behind = std::exchange(span_, all).begin - unfinished().size();
    forget_read();
    return found->empty() ? behind : found->front();
  }
}

// Where the last of them begin; reads all of the span, but for a line that is still being written and will be followed.
Result<std::deque<std::uint64_t>> LogStream::matches_within(Span span, std::size_t lines) {
  span_ = span;
  forget_read();
  std::deque<std::uint64_t> begins;
  for (;;) {
    auto more = next(!options_->follow);
    if (!more) return pass(more);
    if (!*more) return begins;
    begins.push_back(line_position());
    if (begins.size() > lines) begins.pop_front();
  }
}

// Where the line begins that was found last.
std::uint64_t LogStream::line_position() const {
  return span_.begin - (buffer_.size() - begin_) - line_.text.size() - (line_.ended ? 1 : 0);
}

Result<bool> LogStream::next(bool rest) {
  for (;;) {
    auto found = find_line(rest);
    if (!found || !*found) return found;
    if (!options_->raw) {
      if (auto status = end_with_run(); !status) return pass(status);
    }
    if (options_->grep && !options_->grep->matches(line_.text)) continue;
    if (auto status = look_up(); !status) return pass(status);
    return true;
  }
}

Result<bool> LogStream::find_line(bool rest) {
  for (;;) {
    const std::size_t newline = buffer_.find('\n', scanned_);
    const bool ended = newline != std::string::npos;
    const bool is_line = ended || buffer_.size() - begin_ >= LogHistory::longest_line;
    if (!is_line) {
      buffer_.erase(0, begin_);
      begin_ = 0;
      scanned_ = buffer_.size();
      auto more = read(buffer_);
      if (!more) return more;
      if (*more) continue;
      if (!rest || buffer_.empty()) return false;
    }
    const std::size_t end = ended ? newline : buffer_.size();
    line_.text = std::string_view(buffer_).substr(begin_, end - begin_);
    line_.ended = ended;
    begin_ = scanned_ = ended ? end + 1 : end;
    return true;
  }
}

// Where a run ended without a newline its last line ends all the same: what follows is another run's, hours later
// maybe.
Status LogStream::end_with_run() {
  if (line_.text.empty()) return {};
  const std::uint64_t first = line_position();
  auto runs = run_begins(first, first + line_.text.size() - 1);
  if (!runs) return pass(runs);
  if (runs->empty()) return {};
  const auto kept = static_cast<std::size_t>(runs->front() - first);
  begin_ = scanned_ = begin_ - line_.text.size() - (line_.ended ? 1 : 0) + kept;
  line_.text = line_.text.substr(0, kept);
  line_.ended = false;
  return {};
}

Status LogStream::look_up() {
  auto mark = history_.at(line_position());
  if (!mark) return pass(mark);
  if (*mark) {
    line_.time_us = (*mark)->time_us;
    line_.run = (*mark)->run;
    line_.nonce = (*mark)->nonce;
  } else {
    line_.time_us.reset();
    line_.run = line_.nonce = 0;
  }
  if (looked_us_ && line_.time_us.value_or(0) < *looked_us_) line_.time_us = now_us_;
  return {};
}

Result<bool> LogStream::catch_up(std::int64_t now_us) {
  auto position = history_.catch_up(span_.begin);
  if (!position) return pass(position);
  looked_us_ = std::exchange(now_us_, now_us);
  return std::exchange(span_.begin, *position) != *position;
}

}  // namespace usvc
