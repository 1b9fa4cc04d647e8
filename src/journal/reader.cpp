#include "journal/reader.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <vector>

#include "base/files.h"

namespace usvc {

namespace {

constexpr std::string_view suffix = ".jsonl";

Result<std::vector<std::uint64_t>> segments_of(const std::string& dir) {
  std::vector<std::uint64_t> numbers;
  auto names = list_dir(dir);
  if (!names && names.error().code() == ENOENT) return numbers;
  if (!names) return pass(names);
  for (const auto& name : *names) {
    if (const auto number = segment_number(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// When a segment begins: the time of its first event.
std::optional<double> begins_at(const std::string& path) {
  auto file = open_file(path, O_RDONLY);
  if (!file) return std::nullopt;
  std::array<char, 16384> bytes;
  const ssize_t got = ::read(file->get(), bytes.data(), bytes.size());
  if (got <= 0) return std::nullopt;
  const std::string_view text(bytes.data(), static_cast<std::size_t>(got));
  const auto event = parse_event(text.substr(0, text.find('\n')));
  if (!event) return std::nullopt;
  return event->t;
}

}  // namespace

std::optional<std::uint64_t> segment_number(std::string_view file_name) {
  if (!file_name.ends_with(suffix)) return std::nullopt;
  file_name.remove_suffix(suffix.size());
  if (file_name.size() < 8) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(file_name.data(), file_name.data() + file_name.size(), number);
  if (error != std::errc() || end != file_name.data() + file_name.size() || number == 0) return std::nullopt;
  return number;
}

std::string JournalReader::path_of(std::uint64_t number) const {
  return fmt::format("{}/{:08}{}", dir_, number, suffix);
}

Status JournalReader::skip_before(double t) {
  auto numbers = segments_of(dir_);
  if (!numbers) return pass(numbers);
  for (std::size_t i = 1; i < numbers->size(); ++i) {
    const auto begins = begins_at(path_of((*numbers)[i]));
    if (!begins || *begins >= t) break;
    number_ = (*numbers)[i] - 1;
  }
  return {};
}

Status JournalReader::follow(Watch& watch, const Sink& sink) {
  if (auto status = watch.add_dir(dir_); !status) return status;
  for (;;) {
    if (auto status = read(sink); !status) return status;
    if (watched_ == number_) return {};
    // Read once more: it may have grown before it was watched.
    watched_ = number_;
    if (auto status = watch.add_file(path_of(number_)); !status) return status;
  }
}

Status JournalReader::read(const Sink& sink) {
  for (;;) {
    // Looked for first: once a higher segment is there, the one in hand is complete.
    auto next = next_segment();
    if (!next) return pass(next);
    if (auto status = read_on(sink); !status) return status;
    if (!*next) return {};
    if (!lines_.rest().empty()) {
      ++line_number_;
      complain("torn");
    }
    if (auto status = begin_segment(**next); !status) return status;
  }
}

Result<std::optional<std::uint64_t>> JournalReader::next_segment() const {
  auto numbers = segments_of(dir_);
  if (!numbers) return pass(numbers);
  const auto next = std::upper_bound(numbers->begin(), numbers->end(), number_);
  if (next == numbers->end()) return std::nullopt;
  return *next;
}

Status JournalReader::begin_segment(std::uint64_t number) {
  auto file = open_file(path_of(number), O_RDONLY);
  // Removed since it was seen: what it held is in a later one's checkpoint.
  if (!file && file.error().code() != ENOENT) return pass(file);
  file_ = file ? std::move(*file) : Fd();
  number_ = number;
  lines_ = LineSplitter();
  line_number_ = 0;
  complained_ = false;
  return {};
}

Status JournalReader::read_on(const Sink& sink) {
  if (!file_) return {};
  std::vector<char> bytes(std::size_t{256} << 10U);
  for (;;) {
    const ssize_t got = ::read(file_.get(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::last("cannot read " + path_of(number_)));
    if (got == 0) return {};
    for (const auto line : lines_.feed(std::string_view(bytes.data(), static_cast<std::size_t>(got)))) {
      if (auto status = take(line, sink); !status) return status;
    }
  }
}

Status JournalReader::take(std::string_view line, const Sink& sink) {
  ++line_number_;
  if (line.empty()) return {};
  const auto event = parse_event(line);
  if (event) return sink(*event, line);
  complain(event.error().message());
  return {};
}

void JournalReader::complain(const std::string& why) {
  if (complained_) return;
  complained_ = true;
  warn_(fmt::format("{}:{}: line skipped: {}", path_of(number_), line_number_, why));
}

}  // namespace usvc
