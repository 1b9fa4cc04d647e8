// What lies beside and behind a log: its index, names of rotated files, compressed files.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/files.h"
#include "fuzz.h"
#include "log/files.h"
#include "log/frames.h"
#include "log/index.h"

namespace {

using namespace usvc;
using fuzz::must;

// Chance does not find a checksum: each mark gets the one that is right for it.
std::string with_checks(std::string_view text) {
  std::string bytes;
  for (; text.size() >= mark_size; text.remove_prefix(mark_size)) {
    Mark mark;
    std::memcpy(&mark.position, text.data(), sizeof mark.position);
    std::memcpy(&mark.time_us, text.data() + 8, sizeof mark.time_us);
    std::memcpy(&mark.run, text.data() + 16, sizeof mark.run);
    mark.kind = static_cast<MarkKind>(static_cast<unsigned char>(text[24]) % 7);
    const auto one = to_bytes(mark);
    const auto again = parse_mark({one.data(), one.size()});
    must(!again || *again == mark, "a mark is written and read the same");
    bytes.append(one.data(), one.size());
  }
  return bytes.append(text);
}

void check_seeking(const LogIndex& index) {
  constexpr std::int64_t margin = 300'000'000;
  std::optional<std::uint64_t> before = index.since(std::numeric_limits<std::int64_t>::min());
  for (const Mark& mark : index.marks()) {
    const auto at = index.at(mark.position);
    must(at && at->position == mark.position, "a mark is found at its position");
    const auto since = index.since(mark.time_us);
    must(since && *since <= mark.position, "nothing is left out that came then");
    must(before && *before <= *since, "later is further behind");
    before = since;
    const auto after = index.after(mark.time_us);
    must(!after || *after >= *since, "what came later is behind what came then");
  }
  if (index.marks().empty() || index.marks().back().time_us > std::numeric_limits<std::int64_t>::max() - margin) return;
  must(!index.since(index.marks().back().time_us + margin), "all that is marked came earlier");
}

void check_index(const std::string& bytes) {
  const LogIndex index = LogIndex::parse(bytes);
  for (std::size_t i = 1; i < index.marks().size(); ++i) {
    must(index.marks()[i - 1].position <= index.marks()[i].position, "positions do not fall");
    must(index.marks()[i - 1].time_us <= index.marks()[i].time_us, "times do not fall");
  }
  if (index.base() && !index.marks().empty()) must(*index.base() <= index.marks()[0].position, "the base is the first");
  check_seeking(index);
  const std::size_t half = bytes.size() / mark_size / 2 * mark_size;
  LogIndex parts = LogIndex::parse(std::string_view(bytes).substr(0, half));
  parts.add(std::string_view(bytes).substr(half));
  must(parts.marks() == index.marks() && parts.base() == index.base(), "read on it is the same");
  const Fd file(::memfd_create("index", MFD_CLOEXEC));
  must(static_cast<bool>(write_all(file, bytes)), "a memory file is written");
  for (const std::size_t newest : {half, bytes.size()}) {
    const auto end = LogIndex::read_end(file, bytes.size() / mark_size * mark_size, newest);
    must(end && (end->partial() || end->marks() == index.marks()), "its end is all of it, or told to be a part");
  }
}

void check_name(std::string_view text) {
  for (const std::string_view log : {"web.log", "a"}) {
    const auto name = parse_rotated_name(text, log);
    must(!name || (name->number > 0 && text.starts_with(log)), "a rotated file has its log's name and a number");
  }
}

void check_frames(std::string_view text) {
  const Frames found = find_frames(text);
  must(found.good <= text.size(), "frames lie within the file");
  std::uint64_t raw = 0;
  for (const Frame& frame : found.frames) {
    must(frame.raw_begin == raw && frame.raw_size > 0, "frames follow one another");
    must(frame.begin + frame.size <= found.good, "a frame is whole");
    raw += frame.raw_size;
    if (frame.raw_size > (std::uint64_t{4} << 20U)) continue;
    const auto decoded = decode_frame(text, frame);
    must(!decoded || decoded->size() == frame.raw_size, "a frame holds what it says");
    if (!decoded) fuzz::must_be_one_line(decoded.error());
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_index(std::string(text));
  check_index(with_checks(text));
  check_name(text);
  check_frames(text);
  return 0;
}
