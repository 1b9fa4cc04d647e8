#include "log/live_log.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/time.h"
#include "log/files.h"
#include "log/source.h"

namespace usvc {

namespace {

constexpr std::uint64_t retry_after = std::uint64_t{1} << 20U;
constexpr auto look_every = std::chrono::seconds(1);

std::uint64_t end_of(FdRef log) {
  const off_t end = ::lseek(log.get(), 0, SEEK_END);
  return end < 0 ? 0 : static_cast<std::uint64_t>(end);
}

// Also of a log that can't be read: then its next line's end is waited for.
bool ends_with_newline(FdRef log, std::uint64_t end) {
  char last = 0;
  return end > 0 && ::pread(log.get(), &last, 1, static_cast<off_t>(end - 1)) == 1 && last == '\n';
}

}  // namespace

LiveLog::LiveLog(LogPlace place, FdRef log, const std::optional<RunStart>& began)
    : place_(std::move(place)), end_(end_of(log)), began_(began), look_at_(Clock::now() + look_every) {
  open_index();
}

void LiveLog::open_index() {
  index_.reset();
  if (place_.path.empty()) return;
  auto index = IndexWriter::open(index_of(place_.path), end_, place_.next_position, unix_now_us(), began_);
  index_error_ = index ? "" : index.error().message();
  if (index) index_.emplace(std::move(*index));  // without one the log is written all the same
}

std::uint64_t LiveLog::position(std::uint64_t offset) const {
  return index_ ? index_->position(offset) : place_.next_position + offset;
}

std::uint64_t LiveLog::next_position() const {
  return position(end_);
}

std::size_t LiveLog::room(std::size_t limit) const {
  if (place_.max_size == 0 && !asked_) return limit;
  const std::uint64_t until = ending() ? threshold() + line_patience : threshold();
  return std::min<std::size_t>(limit, end_ < until ? until - end_ : line_patience);
}

void LiveLog::wrote(FdRef log, std::size_t bytes, std::uint32_t run, std::uint32_t nonce, bool at_line_end) {
  const off_t now_at = ::lseek(log.get(), 0, SEEK_CUR);
  if (now_at < 0) return;
  const auto end = static_cast<std::uint64_t>(now_at);
  const std::uint64_t begin = end - std::min<std::uint64_t>(end, bytes);
  const std::int64_t now = unix_now_us();
  if (begin < end_) retry_at_ = gone_retry_at_ = 0;
  if (index_) {
    if (begin < end_) index_->cut(end_, begin, now);
    index_->run_begins(begin, now, run, nonce);
    index_->batch(begin, now);
  }
  if (!began_ || began_->run != run || began_->nonce != nonce) began_ = {position(begin), now, run, nonce};
  end_ = end;
  at_line_end_ = at_line_end || (ending() && ends_with_newline(log, end_));
  if (!place_.path.empty() && Clock::now() >= look_at_) look(log);
}

void LiveLog::resized() {
  if (index_) index_->resized(end_, unix_now_us());
}

void LiveLog::look(FdRef log) {
  look_at_ = Clock::now() + look_every;
  gone_ = end_ >= gone_retry_at_ && which_file(place_.path) != which_file(log);
  if (gone_ || (index_ && index_->in_place())) return;
  if (index_) place_.next_position = index_->position(0);
  open_index();
}

Due LiveLog::due() const {
  if (gone_) return Due::gone;
  if (asked_) return at_line_end_ ? Due::asked : Due::no;
  if (place_.path.empty() || !ending()) return Due::no;
  return at_line_end_ || end_ >= threshold() + line_patience ? Due::full : Due::no;
}

void LiveLog::begin(FdRef log, std::uint64_t next_position) {
  end_ = end_of(log);
  place_.next_position = next_position;
  retry_at_ = 0;
  gone_retry_at_ = 0;
  paused = asked_ = gone_ = at_line_end_ = false;
  open_index();
}

void LiveLog::go_on() {
  if (end_ > 0) retry_at_ = gone_retry_at_ = end_ + retry_after;
  paused = asked_ = gone_ = at_line_end_ = false;
}

}  // namespace usvc
