#include "log/index.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "base/files.h"

namespace usvc {

namespace {

constexpr std::size_t checked_size = mark_size - sizeof(std::uint32_t);
constexpr std::int64_t usual_spacing = 100'000;
constexpr std::int64_t widest_spacing = 60'000'000;
constexpr std::uint64_t free_of_charge = std::uint64_t{64} << 10U;
// So often the header is repeated, and so much of an index has it for certain unless that mark is damaged.
constexpr std::uint64_t marks_with_header = 64;
constexpr std::size_t enough_to_go_on = 2 * marks_with_header * mark_size;

template <class Integer>
void put(char*& at, Integer value) {
  const auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
  for (std::size_t i = 0; i < sizeof value; ++i) *at++ = static_cast<char>((bits >> (8 * i)) & 0xffU);
}

template <class Integer>
Integer take(const char*& at) {
  std::make_unsigned_t<Integer> bits = 0;
  for (std::size_t i = 0; i < sizeof bits; ++i) {
    bits |= static_cast<std::make_unsigned_t<Integer>>(static_cast<unsigned char>(*at++)) << (8 * i);
  }
  return static_cast<Integer>(bits);
}

std::uint32_t check_of(std::string_view bytes) {
  boost::crc_32_type check;
  check.process_bytes(bytes.data(), std::min(bytes.size(), checked_size));
  return check.checksum();
}

// What another program's clock makes of it must not wrap round.
std::int64_t plus(std::int64_t time_us, std::int64_t more) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(time_us, more, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

// In whole marks.
Result<std::uint64_t> index_size(FdRef file) {
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  if (end < 0) return fail(Error::last("cannot look at it"));
  return static_cast<std::uint64_t>(end) / mark_size * mark_size;
}

}  // namespace

std::int64_t spacing_us(std::uint64_t index_bytes, std::uint64_t log_bytes) {
  return index_bytes < std::max(free_of_charge, log_bytes / 100) ? usual_spacing : widest_spacing;
}

std::array<char, mark_size> to_bytes(const Mark& mark) {
  std::array<char, mark_size> bytes{};
  char* at = bytes.data();
  put(at, mark.position);
  put(at, mark.time_us);
  put(at, mark.run);
  put(at, mark.nonce);
  put(at, std::to_underlying(mark.kind));
  put(at, check_of({bytes.data(), checked_size}));
  return bytes;
}

std::optional<Mark> parse_mark(std::string_view bytes) {
  if (bytes.size() < mark_size) return std::nullopt;
  const char* at = bytes.data();
  Mark mark;
  mark.position = take<std::uint64_t>(at);
  mark.time_us = take<std::int64_t>(at);
  mark.run = take<std::uint32_t>(at);
  mark.nonce = take<std::uint32_t>(at);
  const auto kind = take<std::uint32_t>(at);
  if (kind < std::to_underlying(MarkKind::header) || kind > std::to_underlying(MarkKind::resized)) return std::nullopt;
  if (take<std::uint32_t>(at) != check_of(bytes)) return std::nullopt;
  mark.kind = static_cast<MarkKind>(kind);
  return mark;
}

LogIndex LogIndex::parse(std::string_view bytes) {
  LogIndex index;
  index.add(bytes);
  return index;
}

Result<LogIndex> LogIndex::read_end(FdRef file, std::uint64_t size, std::size_t newest) {
  const std::uint64_t from = size - std::min<std::uint64_t>(size, newest / mark_size * mark_size);
  for (const std::uint64_t begin : {from, std::uint64_t{0}}) {
    auto bytes = read_at(file, static_cast<off_t>(begin), size - begin);
    if (!bytes) return pass(bytes);
    LogIndex index;
    index.skipped_ = begin / mark_size;
    index.add(*bytes);
    if (begin == 0 || (index.base() && !index.marks().empty())) return index;
  }
  return LogIndex();
}

Result<LogIndex> LogIndex::read_end(const std::string& path) {
  auto file = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file && file.error().code() == ENOENT) return LogIndex();
  if (!file) return pass(file);
  auto size = index_size(*file);
  if (!size) return pass(size, path);
  return read_end(*file, *size, enough_to_go_on);
}

Result<LogIndex> LogIndex::read(const std::string& path) {
  auto bytes = read_file(path, LogIndex::largest);
  if (!bytes && bytes.error().code() == ENOENT) return LogIndex();
  if (!bytes) return pass(bytes);
  return parse(*bytes);
}

void LogIndex::add(std::string_view bytes) {
  marks_.reserve(marks_.size() + bytes.size() / mark_size);
  for (; bytes.size() >= mark_size; bytes.remove_prefix(mark_size)) {
    if (const auto mark = parse_mark(bytes)) add(*mark);
  }
}

void LogIndex::add(const Mark& mark) {
  if (mark.kind == MarkKind::header) {
    base_ = mark.position;
    marks_.clear();
    skipped_ = 0;
    return;
  }
  if (mark.kind == MarkKind::again) {
    if (!base_ && (marks_.empty() || mark.position <= marks_.front().position)) base_ = mark.position;
    return;
  }
  if (base_ && mark.position < *base_) return;
  Mark taken = mark;
  if (!marks_.empty()) {
    const Mark& before = marks_.back();
    if (mark.position < before.position) return;
    taken.time_us = std::max(taken.time_us, before.time_us);
    if (taken.run == 0) {
      taken.run = before.run;
      taken.nonce = before.nonce;
    }
  }
  marks_.push_back(taken);
}

std::optional<Mark> LogIndex::at(std::uint64_t position) const {
  const auto after = std::upper_bound(marks_.begin(), marks_.end(), position,
                                      [](std::uint64_t wanted, const Mark& mark) { return wanted < mark.position; });
  if (after == marks_.begin()) return std::nullopt;
  return *std::prev(after);
}

std::int64_t LogIndex::last_moment(std::size_t index) const {
  const Mark& mark = marks_[index];
  const bool is_last = index + 1 == marks_.size();
  const auto next = is_last ? std::numeric_limits<std::int64_t>::max() : marks_[index + 1].time_us;
  if (!is_last && marks_[index + 1].kind == MarkKind::resumed) return next;
  // The header is a mark too, and this one had been written.
  const std::uint64_t index_bytes = (skipped_ + index + 2) * mark_size;
  const std::uint64_t log_bytes = mark.position - base_.value_or(0);
  // Twice: an upper bound for the time between the deed and the look at the clock.
  return std::min(next, plus(mark.time_us, 2 * spacing_us(index_bytes, log_bytes)));
}

std::optional<std::uint64_t> LogIndex::since(std::int64_t time_us) const {
  const auto first = std::lower_bound(marks_.begin(), marks_.end(), time_us,
                                      [](const Mark& mark, std::int64_t wanted) { return mark.time_us < wanted; });
  if (first != marks_.begin()) {
    const auto before = std::prev(first);
    if (last_moment(static_cast<std::size_t>(before - marks_.begin())) >= time_us) return before->position;
  }
  if (first == marks_.end()) return std::nullopt;
  return first->position;
}

std::optional<std::uint64_t> LogIndex::after(std::int64_t time_us) const {
  const auto first = std::upper_bound(marks_.begin(), marks_.end(), time_us,
                                      [](std::int64_t wanted, const Mark& mark) { return wanted < mark.time_us; });
  if (first == marks_.end()) return std::nullopt;
  return first->position;
}

Result<LogIndex> IndexWriter::read_back() {
  // A torn mark at the end is written over.
  auto size = index_size(file_);
  if (!size) return pass(size);
  written_ = *size;
  if (written_ > LogIndex::largest) return LogIndex();
  return LogIndex::read_end(file_, written_, enough_to_go_on);
}

Result<IndexWriter> IndexWriter::open(const std::string& path, std::uint64_t log_size, std::uint64_t next_position,
                                      std::int64_t now_us, const std::optional<RunStart>& began) {
  auto file = open_file(path, O_RDWR | O_CREAT | O_NOCTTY | O_NONBLOCK);
  if (!file) return pass(file);
  const auto identity = which_file(*file);
  if (!identity) return fail(Error::last("cannot look at " + path));
  IndexWriter writer(path, std::move(*file));
  writer.identity_ = *identity;
  auto index = writer.read_back();
  if (!index) return pass(index, path);
  std::optional<Mark> last;
  if (!index->marks().empty()) {
    last = index->marks().back();
    writer.run_ = last->run;
    writer.nonce_ = last->nonce;
  }
  if (index->base() && (!last || *index->base() + log_size >= last->position)) {
    writer.base_ = *index->base();
  } else {
    // What is written next must have a position beyond all that were given away.
    writer.base_ = last ? std::max(next_position, last->position - std::min(last->position, log_size)) : next_position;
    writer.append({.position = writer.base_, .time_us = now_us, .kind = MarkKind::header});
    last.reset();
  }
  const std::uint64_t here = writer.position(log_size);
  if (began) writer.mark_missed(*began, last.value_or(Mark{.position = writer.base_}), here, now_us);
  if (log_size > 0 && (!last || last->position < here)) {
    writer.append({here, now_us, writer.run_, writer.nonce_, MarkKind::resumed});
  }
  writer.file_.reset();
  return writer;
}

// What lies before the last mark can't be marked any more: jobs may share a log.
void IndexWriter::mark_missed(const RunStart& began, const Mark& last, std::uint64_t end, std::int64_t now_us) {
  const std::uint64_t from = std::max(began.position, base_);
  if (from < last.position || from >= end) return;
  run_begins(from - base_, std::clamp(began.time_us, std::min(last.time_us, now_us), now_us), began.run, began.nonce);
}

bool IndexWriter::in_place() const {
  return which_file(path_) == identity_;
}

bool IndexWriter::append(const Mark& mark) {
  // Headers and runs are what other marks are understood by: one that could not be written, for want of descriptors
  // say, comes before the next.
  const bool said =
      std::ranges::all_of(owed_, [this](const Mark& owed) { return append_now(owed); }) && append_now(mark);
  if (said) {
    owed_.clear();
  } else if (mark.kind == MarkKind::header) {
    owed_ = {mark};
  } else if (mark.kind == MarkKind::run) {
    std::erase_if(owed_, [](const Mark& owed) { return owed.kind == MarkKind::run; });
    owed_.push_back(mark);
  }
  return said;
}

bool IndexWriter::append_now(const Mark& mark) {
  const bool is_header = mark.kind == MarkKind::header;
  if (!is_header && written_ / mark_size % marks_with_header == 0 && written_ > 0) {
    if (!put({.position = base_, .time_us = mark.time_us, .kind = MarkKind::again})) return false;
  }
  if (!put(mark)) return false;
  // The first batch behind a header is marked, however soon it comes.
  if (!is_header) last_us_ = mark.time_us;
  return true;
}

bool IndexWriter::put(const Mark& mark) {
  const auto bytes = to_bytes(mark);
  auto again = file_ ? Result<Fd>() : open_file(path_, O_WRONLY | O_NOCTTY | O_NONBLOCK);
  if (!file_ && (!again || which_file(*again) != identity_)) return false;
  const ssize_t done =
      ::pwrite(file_ ? file_.get() : again->get(), bytes.data(), bytes.size(), static_cast<off_t>(written_));
  if (!std::cmp_equal(done, bytes.size())) return false;
  written_ += bytes.size();
  return true;
}

void IndexWriter::run_begins(std::uint64_t offset, std::int64_t now_us, std::uint32_t run, std::uint32_t nonce) {
  if (run == run_ && nonce == nonce_) return;
  run_ = run;
  nonce_ = nonce;
  (void)append({position(offset), now_us, run, nonce, MarkKind::run});
}

void IndexWriter::batch(std::uint64_t offset, std::int64_t now_us) {
  const std::int64_t passed = now_us - last_us_;
  if (passed >= 0 && passed < spacing_us(written_, offset)) return;
  (void)append({position(offset), now_us, run_, nonce_, MarkKind::batch});
}

// Once for all changes between which nothing was written: a window is dragged in many steps.
void IndexWriter::resized(std::uint64_t offset, std::int64_t now_us) {
  const std::uint64_t here = position(offset);
  if (resized_at_ != here && append({here, now_us, run_, nonce_, MarkKind::resized})) resized_at_ = here;
}

void IndexWriter::cut(std::uint64_t had, std::uint64_t size, std::int64_t now_us) {
  if (size >= had) return;
  base_ += had - size;
  (void)append({.position = base_, .time_us = now_us, .kind = MarkKind::header});
  if (size > 0) (void)append({position(size), now_us, run_, nonce_, MarkKind::resumed});
}

}  // namespace usvc
