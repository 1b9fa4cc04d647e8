#include "log/history.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/files.h"

namespace usvc {

namespace {

constexpr std::size_t block_size = std::size_t{64} << 10U;
// Of an index this much is looked at first.
constexpr std::size_t newest_marks = std::size_t{64} << 10U;

}  // namespace

Result<LogHistory> LogHistory::open(const Layout& layout, std::string log, Warn warn) {
  LogHistory history(layout, std::move(log), std::move(warn));
  if (auto status = history.list(); !status) return pass(status);
  return history;
}

// The live file is opened before the rotated ones are listed, so these are all that were cut from the log before it. It
// may be rotated meanwhile: then it is the last that is known here, whatever it is called by now.
Status LogHistory::list() {
  constexpr int attempts = 20;
  for (int i = 0; i < attempts; ++i) {
    auto live_source = LogSource::open({.path = log_, .index_path = index_of(log_)});
    if (!live_source) return pass(live_source);
    auto files = log_files(layout_, log_);
    if (!files) return pass(files);
    take(*files, std::move(*live_source));
    if (!live().source) return {};
    if (auto index = index_of_part(live()); !index) return pass(index);
    const FileIdentity held = live().source->identity();
    if (which_file(log_) == held) return {};
    files = log_files(layout_, log_);
    if (!files) return pass(files);
    const auto renamed = std::find_if(files->begin(), files->end(), [&](const LogFile& file) {
      return file.number > 0 && !file.compressed && which_file(file.path) == held;
    });
    if (renamed == files->end()) continue;
    auto source = std::move(live().source);
    const std::string index_path = renamed->index_path;
    files->erase(renamed, std::prev(files->end()));
    files->back().index_path = index_path;
    take(*files, std::move(source));
    return {};
  }
  // Rotated and compressed faster than it is looked at: what came last comes with the next look.
  live().source.reset();
  live().gone = true;
  return {};
}

void LogHistory::take(const std::vector<LogFile>& files, std::optional<LogSource> live_source) {
  parts_.clear();
  for (const auto& file : files) parts_.emplace_back().file = file;
  live().gone = !live_source;
  live().source = std::move(live_source);
}

void LogHistory::warn_once(Part& part, const std::string& why) {
  if (part.warned) return;
  part.warned = true;
  if (warn_) warn_(part.file.path + ": " + why);
}

void LogHistory::leave_out(Part& part, const std::string& why) {
  left_out_ = true;
  warn_once(part, why);
}

Result<LogSource*> LogHistory::source_of(Part& part) {
  if (part.source) return &*part.source;
  if (part.gone) return nullptr;
  auto source = LogSource::open(part.file);
  if (!source && part.file.number > 0) {
    leave_out(part, "left out: " + source.error().message());
    part.gone = true;
    return nullptr;
  }
  if (!source) return pass(source);
  part.source = std::move(*source);
  if (!part.source) {
    part.gone = part.file.number > 0;
    return nullptr;
  }
  if (part.source->damaged()) leave_out(part, "damaged: what is behind that is left out (zstd -t tells more)");
  return &*part.source;
}

Result<std::uint64_t> LogHistory::size_of(Part& part) {
  auto source = source_of(part);
  if (!source) return pass(source);
  return *source == nullptr ? Result<std::uint64_t>(0) : (*source)->size();
}

Result<const LogIndex*> LogHistory::index_of_part(Part& part, Want want) {
  if (part.index && (want == Want::newest || !part.index->partial())) return &*part.index;
  if (part.index) {
    auto whole = LogIndex::read(part.file.index_path);
    // It may be another file's by now; so may what is known already.
    if (whole && whole->base() == part.index->base()) part.index = std::move(*whole);
    return &*part.index;
  }
  part.index.emplace();
  part.index_read = 0;
  auto read = read_on_index(part);
  // It is a convenience: without it all is shown just the same.
  if (!read) warn_once(part, "its index cannot be read: " + read.error().message());
  return &*part.index;
}

// True: there was more.
Result<bool> LogHistory::read_on_index(Part& part) {
  auto file = open_file(part.file.index_path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file && file.error().code() == ENOENT) return false;
  if (!file) return pass(file);
  struct stat info {};
  if (::fstat(file->get(), &info) != 0) return fail(Error::last(part.file.index_path));
  const std::uint64_t size = std::min<std::uint64_t>(static_cast<std::uint64_t>(info.st_size), LogIndex::largest);
  const std::uint64_t whole = size / mark_size * mark_size;
  if (whole < part.index_read) part.index_read = 0;  // another one
  if (whole == part.index_read) return false;
  if (part.index_read > 0) {
    auto bytes = read_at(*file, static_cast<off_t>(part.index_read), whole - part.index_read);
    if (!bytes) return pass(bytes);
    part.index->add(*bytes);
  } else {
    auto index = LogIndex::read_end(*file, whole, newest_marks);
    if (!index) return pass(index);
    part.index = std::move(*index);
  }
  part.index_read = whole;
  return true;
}

Result<std::uint64_t> LogHistory::base_of(std::size_t number) {
  Part& part = parts_[number];
  if (part.base) return *part.base;
  auto index = index_of_part(part);
  if (!index) return pass(index);
  if ((*index)->base()) {
    part.base = (*index)->base();
    return *part.base;
  }
  auto told = base_told_by_next(number);
  if (!told) return pass(told);
  if (*told) {
    part.base = *told;
  } else if (number > 0) {
    auto end = end_of(number - 1);
    if (!end) return pass(end);
    part.base = *end;
  } else {
    part.base = (*index)->marks().empty() ? 0 : (*index)->marks().front().position;
  }
  return *part.base;
}

// So far before the nearest later file that knows as what lies between them is long.
Result<std::optional<std::uint64_t>> LogHistory::base_told_by_next(std::size_t number) {
  std::uint64_t between = 0;
  for (; number + 1 < parts_.size(); ++number) {
    auto size = size_of(parts_[number]);
    if (!size) return pass(size);
    between += *size;
    auto next = index_of_part(parts_[number + 1]);
    if (!next) return pass(next);
    if (const auto base = (*next)->base()) return std::optional<std::uint64_t>(*base - std::min(*base, between));
  }
  return std::optional<std::uint64_t>();
}

Result<std::uint64_t> LogHistory::end_of(std::size_t number) {
  auto base = base_of(number);
  if (!base) return base;
  auto size = size_of(parts_[number]);
  if (!size) return size;
  return *base + *size;
}

Result<std::uint64_t> LogHistory::begin() {
  return base_of(0);
}

Result<std::uint64_t> LogHistory::end() {
  return end_of(parts_.size() - 1);
}

// The last one that begins at or before the position, else the first.
Result<std::size_t> LogHistory::part_at(std::uint64_t position) {
  for (std::size_t number = parts_.size(); number-- > 1;) {
    auto base = base_of(number);
    if (!base) return pass(base);
    if (*base <= position) return number;
  }
  return 0;
}

Result<std::string_view> LogHistory::read_part(std::size_t number, std::uint64_t offset, std::size_t most) {
  Part& part = parts_[number];
  auto source = source_of(part);
  if (!source) return pass(source);
  if (*source == nullptr) return std::string_view();
  auto bytes = (*source)->read(offset, most);
  if (bytes || part.file.number == 0) return bytes;
  leave_out(part, "left out in part: " + bytes.error().message());
  return std::string_view();
}

Result<bool> LogHistory::read(std::uint64_t& position, std::uint64_t end, std::string& out, std::size_t most) {
  auto number = part_at(position);
  if (!number) return pass(number);
  for (;; ++*number) {
    auto base = base_of(*number);
    if (!base) return pass(base);
    missed_ += std::max(std::min(*base, end), position) - position;
    position = std::max(position, *base);
    if (position >= end) return false;
    auto bytes = read_part(*number, position - *base, std::min<std::uint64_t>(end - position, most));
    if (!bytes) return pass(bytes);
    if (!bytes->empty()) {
      out.append(*bytes);
      position += bytes->size();
      return true;
    }
    if (*number + 1 == parts_.size()) return false;
    parts_[*number].source.reset();  // it is read; of a hundred jobs the old files would be many descriptors
  }
}

// So much of a part as there is.
Result<std::string> LogHistory::read_whole(std::size_t number, std::uint64_t offset, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    auto bytes = read_part(number, offset + text.size(), size - text.size());
    if (!bytes) return pass(bytes);
    if (bytes->empty()) break;
    text.append(*bytes);
  }
  return text;
}

Result<std::optional<std::uint64_t>> LogHistory::find_in_part(std::size_t number, Span span, LineSearch& search) {
  auto base = base_of(number);
  if (!base) return pass(base);
  for (std::uint64_t at = span.end; at > span.begin;) {
    const std::uint64_t from = std::max(span.begin, at - std::min<std::uint64_t>(at, block_size));
    auto text = read_whole(number, from - *base, at - from);
    if (!text) return pass(text);
    for (std::size_t i = text->size(); i-- > 0;) {
      const std::uint64_t behind = from + i + 1;
      const bool newline = (*text)[i] == '\n' && (search.last_counts || behind != search.span.end);
      const bool too_long = search.line_end - behind >= longest_line;
      if (!newline && !too_long) continue;
      if (--search.wanted == 0) return std::optional<std::uint64_t>(behind);
      search.line_end = behind;
    }
    at = from;
  }
  return std::optional<std::uint64_t>();
}

Result<std::uint64_t> LogHistory::find_line(LineSearch search) {
  if (search.wanted == 0) return search.span.end;
  search.line_end = search.span.end;
  for (std::size_t number = parts_.size(); number-- > 0;) {
    auto base = base_of(number);
    if (!base) return pass(base);
    if (number > 0 && *base >= search.span.end) continue;
    auto end = end_of(number);
    if (!end) return pass(end);
    const Span here{std::max(*base, search.span.begin), std::min(*end, search.span.end)};
    auto found = find_in_part(number, here, search);
    if (!found) return pass(found);
    if (*found) return **found;
    if (number == 0 || *base <= search.span.begin) return std::min(std::max(*base, search.span.begin), search.span.end);
  }
  return search.span.begin;
}

Result<std::uint64_t> LogHistory::tail(std::size_t lines, Span span) {
  auto last = end();
  if (!last) return last;
  span.end = std::min(span.end, *last);
  span.begin = std::min(span.begin, span.end);
  return find_line({.wanted = lines, .last_counts = false, .span = span});
}

Result<std::uint64_t> LogHistory::line_begin(std::uint64_t position) {
  auto last = end();
  if (!last) return last;
  return find_line({.wanted = 1, .last_counts = true, .span = {0, std::min(position, *last)}});
}

Result<std::uint64_t> LogHistory::line_end(std::uint64_t position) {
  auto begin = line_begin(position);
  if (!begin || *begin == position) return begin;
  std::string text;
  for (std::uint64_t at = position; at - position < longest_line; text.clear()) {
    const auto more = read(at, Span::no_end, text);
    if (!more) return fail(more.error());
    if (!*more) return at;
    const std::size_t newline = text.find('\n');
    if (newline != std::string::npos) return at - text.size() + newline + 1;
  }
  return position;
}

Result<std::uint64_t> LogHistory::catch_up(std::uint64_t position) {
  auto now = identity_of(log_);
  if (!now) return pass(now);
  if (!live().source) {
    if (!*now) return position;
    if (auto status = list(); !status) return pass(status);
    auto last = end();
    if (!last || *last >= position) return last ? Result<std::uint64_t>(position) : last;
    return base_of(parts_.size() - 1);  // it has begun anew
  }
  if (!*now) return position;  // its successor is still to come
  const FileIdentity held = live().source->identity();
  if (**now == held) return same_file_goes_on(position, held);
  auto last = end();
  if (!last) return last;
  if (*last > position) return position;  // that first: whoever writes has changed over by now
  auto next = successor_of(held, position);
  if (next && *next > position) missed_ += *next - position;
  return next;
}

Result<std::uint64_t> LogHistory::same_file_goes_on(std::uint64_t position, const FileIdentity& held) {
  Part& part = live();
  const std::size_t number = parts_.size() - 1;
  auto base = base_of(number);
  if (!base) return base;
  const std::uint64_t offset = position - std::min(position, *base);
  const auto said = part.index ? part.index->base() : std::nullopt;
  auto more = read_on_index(part);
  if (!more) return pass(more);
  auto still = identity_of(log_);
  if (!still) return pass(still);
  if (*still != held) {  // that index may be the next file's
    part.index = LogIndex();
    part.base = *base;
    return position;
  }
  if (*more && part.index->base() != said && part.index->base()) {
    part.base = part.index->base();
    if (std::exchange(cut_seen_, false)) return *part.base + offset;
    // It got an index only now, or was cut: what was left then has been shown before.
    if (!said) return *part.base + offset;
    const auto& marks = part.index->marks();
    return marks.empty() || marks.front().kind != MarkKind::resumed ? *part.base : marks.front().position;
  }
  auto size = size_of(part);
  if (!size) return size;
  if (*size >= offset) return position;
  cut_seen_ = true;
  return *base;
}

// Where to go on when another file has the name.
Result<std::uint64_t> LogHistory::successor_of(const FileIdentity& held, std::uint64_t position) {
  // So long as it is open no other file can have its number.
  const auto open = std::move(live().source);
  if (auto status = list(); !status) return pass(status);
  cut_seen_ = false;
  const std::size_t last = parts_.size() - 1;
  for (std::size_t number = last; number-- > 0;) {
    const auto identity = identity_of(parts_[number].file.path);
    if (identity && *identity == held) return base_of(number + 1);
  }
  // It has been compressed, cleaned or taken away by somebody.
  auto newest = base_of(last);
  if (!newest || *newest < position) return newest;
  for (std::size_t number = last; number-- > 0;) {
    auto base = base_of(number);
    if (!base) return base;
    if (*base < position) return base_of(number + 1);
  }
  return base_of(0);
}

Error missed_output(const std::string& log, std::uint64_t bytes) {
  return Error(std::to_string(bytes) + " bytes of " + log +
               " are missing here: its old files went before they were read")
      .hint("raise log-keep, log-max-size or log-total");
}

}  // namespace usvc
