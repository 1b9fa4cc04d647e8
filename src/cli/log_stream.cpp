#include "cli/log_stream.h"

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
    auto line = history_.line_begin(*from);
    if (!line) return pass(line);
    span_.begin = std::max(span_.begin, *line);
  }
  if (options_->until_us) {
    auto to = history_.until(*options_->until_us);
    if (!to) return pass(to);
    auto line = *to == Span::no_end ? to : history_.line_end(*to);
    if (!line) return pass(line);
    span_.end = std::min(span_.end, *line);
  }
  if (options_->lines) {
    auto from = options_->grep ? last_matching(*options_->lines) : history_.tail(*options_->lines, span_);
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

// Where the last so many lines that match begin; the whole of it has to be read for that.
Result<std::uint64_t> LogStream::last_matching(std::size_t lines) {
  const Span all = span_;
  std::deque<std::uint64_t> begins;
  for (;;) {
    auto more = next(true);
    if (!more) return pass(more);
    if (!*more) break;
    begins.push_back(span_.begin - (buffer_.size() - begin_) - line_.text.size() - (line_.ended ? 1 : 0));
    if (begins.size() > lines) begins.pop_front();
  }
  const std::uint64_t end = span_.begin;
  span_ = all;
  return begins.empty() ? end : begins.front();
}

Result<bool> LogStream::next(bool rest) {
  for (;;) {
    auto found = find_line(rest);
    if (!found || !*found) return found;
    if (!options_->grep || options_->grep->matches(line_.text)) return true;
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
    const std::uint64_t position = span_.begin - (buffer_.size() - begin_);
    const std::size_t end = ended ? newline : buffer_.size();
    line_.text = std::string_view(buffer_).substr(begin_, end - begin_);
    line_.ended = ended;
    begin_ = scanned_ = ended ? end + 1 : end;
    if (auto status = look_up(position); !status) return pass(status);
    return true;
  }
}

Status LogStream::look_up(std::uint64_t position) {
  auto mark = history_.at(position);
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
