// Finding a place in a log by time and by run.
#include <algorithm>

#include "log/history.h"

namespace usvc {

namespace {

// Whether nobody knows when the bytes before a file's first mark came.
bool begins_unmarked(const LogIndex& index, std::uint64_t base) {
  const Mark& first = index.marks().front();
  return first.kind == MarkKind::resumed && first.position > base;
}

}  // namespace

// True: it has bytes, and nobody knows when they came.
Result<bool> LogHistory::is_untimed(Part& part) {
  auto size = size_of(part);
  if (!size) return pass(size);
  if (*size == 0) return false;
  warn_once(part, "all of it is shown: there is no index that says when it was written");
  return true;
}

// What a search in the part's marks comes to. Of those read so far the first may not be the one that is looked for.
Result<std::optional<std::uint64_t>> LogHistory::find_mark(Part& part, FindMark find, std::int64_t time_us) {
  auto index = index_of_part(part);
  if (!index) return pass(index);
  const auto found = ((*index)->*find)(time_us);
  if (!found || !(*index)->partial() || *found != (*index)->marks().front().position) return found;
  index = index_of_part(part, Want::whole);
  if (!index) return pass(index);
  return ((*index)->*find)(time_us);
}

Result<std::uint64_t> LogHistory::since(std::int64_t time_us) {
  std::optional<std::uint64_t> from;
  for (std::size_t number = parts_.size(); number-- > 0;) {
    Part& part = parts_[number];
    auto index = index_of_part(part);
    if (!index) return pass(index);
    if ((*index)->marks().empty()) {
      auto untimed = is_untimed(part);
      if (!untimed) return pass(untimed);
      if (!*untimed) continue;
      auto base = base_of(number);
      if (!base) return base;
      from = *base;
      continue;
    }
    auto found = find_mark(part, &LogIndex::since, time_us);
    if (!found) return pass(found);
    if (!*found) break;
    from = *found;
    if (*from != (*index)->marks().front().position) break;
    auto base = base_of(number);
    if (!base) return base;
    if (begins_unmarked(**index, *base)) from = *base;
  }
  return from ? Result<std::uint64_t>(*from) : end();
}

Result<std::uint64_t> LogHistory::until(std::int64_t time_us) {
  std::uint64_t to = Span::no_end;
  for (std::size_t number = parts_.size(); number-- > 0;) {
    Part& part = parts_[number];
    auto index = index_of_part(part);
    if (!index) return pass(index);
    if ((*index)->marks().empty()) {
      auto untimed = is_untimed(part);
      if (!untimed) return pass(untimed);
      if (*untimed) break;
      continue;
    }
    auto found = find_mark(part, &LogIndex::after, time_us);
    if (!found) return pass(found);
    if (!*found) break;
    to = **found;
    if (to != (*index)->marks().front().position) break;
    auto base = base_of(number);
    if (!base) return base;
    if (begins_unmarked(**index, *base)) break;
  }
  return to;
}

namespace {

// The runs that marks tell of, met from the last one backwards.
class RunSearch {
 public:
  RunSearch(std::int64_t number, std::optional<std::uint32_t> nonce) : number_(number), nonce_(nonce) {}

  // False: the run before the one that is looked for has been met.
  bool meet(const Mark& mark) {
    if (mark.run == 0) return true;
    if (current_.run != mark.run || current_.nonce != mark.nonce) {
      if (is_current_) return false;
      if (current_.run != 0) end_ = current_.position;
      --met_;
      is_current_ = number_ < 0 ? met_ == number_ : mark.run == number_ && (!nonce_ || *nonce_ == mark.nonce);
    }
    current_ = mark;
    return true;
  }
  [[nodiscard]] std::optional<Span> found() const {
    return is_current_ ? std::optional<Span>({current_.position, end_}) : std::nullopt;
  }

 private:
  std::int64_t number_;
  std::optional<std::uint32_t> nonce_;
  Mark current_;  // the earliest that was met of its run; run 0: none yet
  bool is_current_ = false;
  std::int64_t met_ = 0;
  std::uint64_t end_ = Span::no_end;
};

}  // namespace

Result<std::optional<Span>> LogHistory::run(std::int64_t number, std::optional<std::uint32_t> nonce) {
  RunSearch search(number, nonce);
  for (std::size_t part = parts_.size(); part-- > 0;) {
    const RunSearch before = search;
    for (const Want want : {Want::newest, Want::whole}) {
      auto index = index_of_part(parts_[part], want);
      if (!index) return pass(index);
      search = before;
      const auto& marks = (*index)->marks();
      const bool over =
          !std::all_of(marks.rbegin(), marks.rend(), [&search](const Mark& mark) { return search.meet(mark); });
      if (over) return search.found();
      if (!(*index)->partial()) break;
    }
  }
  return search.found();
}

Result<std::optional<Mark>> LogHistory::at(std::uint64_t position) {
  auto number = part_at(position);
  if (!number) return pass(number);
  for (std::size_t part = *number + 1; part-- > 0;) {
    auto index = index_of_part(parts_[part]);
    if (!index) return pass(index);
    if ((*index)->partial() && position < (*index)->marks().front().position) {
      index = index_of_part(parts_[part], Want::whole);
      if (!index) return pass(index);
    }
    if (const auto mark = (*index)->at(position)) return mark;
    if (!(*index)->marks().empty() && (*index)->marks().front().kind == MarkKind::resumed) break;
    auto size = size_of(parts_[part]);
    if (!size) return pass(size);
    if ((*index)->marks().empty() && *size > 0) break;
  }
  return std::optional<Mark>();
}

// From the files as they are now: what is known of the live one's index is what it was read for. Of a large index its
// newest marks have to do.
Result<std::vector<std::uint64_t>> LogHistory::resized(Span span) {
  std::vector<std::uint64_t> found;
  for (std::size_t number = parts_.size(); number-- > 0;) {
    Part part;
    part.file = parts_[number].file;
    auto index = index_of_part(part);
    if (!index) return pass(index);
    for (const Mark& mark : (*index)->marks()) {
      const bool within = mark.position >= span.begin && mark.position <= span.end;
      if (mark.kind == MarkKind::resized && within) found.push_back(mark.position);
    }
    auto base = base_of(number);
    if (!base) return pass(base);
    if (*base <= span.begin) break;
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace usvc
