// The index beside a log, which makes its raw bytes a time machine: marks that say what came when and from which run.
//
// A log is one endless stream of bytes with a position for each: files are cut from it by rotation, and a file's header
// mark says at which position it begins. Marks are 32 bytes each, little-endian, appended and never changed:
//   position u64 | time i64 (microseconds since the epoch) | run u32 | nonce u32 | kind u32 | check u32 (CRC-32)
// A mark is written after the batch of output it speaks of: what lies from `position` on came at `time` or later. One
// that is torn or damaged is passed over; a lost one makes its bytes seem to have come with those before them. So an
// index can be wrong by a little about time and never hides a byte: what is shown is always read from the log itself.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "log/source.h"

namespace usvc {

enum class MarkKind : std::uint32_t {
  header = 1,   // the file's first byte has this position. Another one later (the log was cut short by somebody else)
                // counts instead of it, and what was marked before is gone.
  run = 2,      // the output of a run begins here
  batch = 3,    // output came
  resumed = 4,  // marks are made again from here on; what lies between the mark before and this one came in between
  again = 5,    // the header's position once more, among each hundred marks or so: for those who read the end only
  resized =
      6,  // as `batch`, and the terminal that it is from had got another size: what came before was for the old one
};

struct Mark {
  std::uint64_t position = 0;
  std::int64_t time_us = 0;
  std::uint32_t run = 0;    // the run's number in its job, 0: none is known
  std::uint32_t nonce = 0;  // the hexadecimal part of the run's id
  MarkKind kind = MarkKind::batch;
  bool operator==(const Mark&) const = default;
};

inline constexpr std::size_t mark_size = 32;
std::array<char, mark_size> to_bytes(const Mark& mark);
// Nothing for what is none, or damaged.
std::optional<Mark> parse_mark(std::string_view bytes);

// One file's index in memory. Marks are in the order of their positions; times never fall.
class LogIndex {
 public:
  // A log that takes a mark every 100 ms for two months has an index of this size. More is not read.
  static constexpr std::size_t largest = std::size_t{1} << 30U;

  // `bytes` of an index file: whatever is in it.
  static LogIndex parse(std::string_view bytes);
  // No such file: an empty index.
  static Result<LogIndex> read(const std::string& path);
  // The same without the marks of long ago, which cost the most when there are many: those of the last `newest` bytes
  // where the file's position is among them and one of them is whole, else all. What is asked about may then lie
  // before what is known: see partial(). `size`: of the file, a whole number of marks.
  static Result<LogIndex> read_end(FdRef file, std::uint64_t size, std::size_t newest);
  // For whoever goes on behind it: where it begins, and its last mark. No such file: an empty index.
  static Result<LogIndex> read_end(const std::string& path);
  // Takes more of the file, from where it was read to: a whole number of marks.
  void add(std::string_view bytes);

  // The position of the file's first byte; nothing where no header is left.
  [[nodiscard]] std::optional<std::uint64_t> base() const { return base_; }
  // There are marks before the first of marks() too.
  [[nodiscard]] bool partial() const { return skipped_ > 0; }
  // Without headers. Each has the run it lies in, also where the mark itself does not say.
  [[nodiscard]] const std::vector<Mark>& marks() const { return marks_; }
  // When the byte at this position came, as far as is known, and from which run.
  [[nodiscard]] std::optional<Mark> at(std::uint64_t position) const;
  // The first position whose bytes may have come at `time_us` or later: what lies before it came earlier. Nothing: all
  // that is marked came earlier.
  [[nodiscard]] std::optional<std::uint64_t> since(std::int64_t time_us) const;
  // The first position whose bytes came later than `time_us`; nothing: none is marked.
  [[nodiscard]] std::optional<std::uint64_t> after(std::int64_t time_us) const;

 private:
  void add(const Mark& mark);
  // The latest moment at which bytes between this mark and the next may have come.
  [[nodiscard]] std::int64_t last_moment(std::size_t index) const;

  std::optional<std::uint64_t> base_;
  std::vector<Mark> marks_;
  std::uint64_t skipped_ = 0;  // marks
};

// How far apart batches are marked when the index has so many bytes and the log so many: 100 ms, so long as the index
// is within its first 64 KiB or a hundredth of the log; else a minute. Readers go by it too: bytes without a mark of
// their own came at most so much later than the mark before them.
std::int64_t spacing_us(std::uint64_t index_bytes, std::uint64_t log_bytes);

// Where a run's output begins, as its manager had noted it before any came.
struct RunStart {
  std::uint64_t position = 0;
  std::int64_t time_us = 0;
  std::uint32_t run = 0;
  std::uint32_t nonce = 0;
};

// Appends marks, no more of them than are worth their place (spacing_us). Holds nothing open in between; in a file of
// that name that is another one by then it marks nothing.
class IndexWriter {
 public:
  // Opens or makes it, and goes on behind what is in it. `log_size` is the log's size now: where the index does not
  // account for it (it marks more) another header is written. `next_position` is where a log begins whose earlier files
  // are known: used for an index without a header only. Says `resumed` where the log holds something already. `began`:
  // the run that goes on; what it has written while nobody could mark it (its manager was killed) is marked as its own.
  static Result<IndexWriter> open(const std::string& path, std::uint64_t log_size, std::uint64_t next_position,
                                  std::int64_t now_us, const std::optional<RunStart>& began = {});

  // Its file has not been removed, or replaced.
  [[nodiscard]] bool in_place() const;
  // The position of the byte at `offset` in the file.
  [[nodiscard]] std::uint64_t position(std::uint64_t offset) const { return base_ + offset; }
  // `offset`: where the run's output, or the batch, begins in the file. Failures are kept quiet about: the index is a
  // convenience, and the next mark makes up for it: what it is understood by is written before it.
  // Of the run that is marked already nothing is said again.
  void run_begins(std::uint64_t offset, std::int64_t now_us, std::uint32_t run, std::uint32_t nonce);
  void batch(std::uint64_t offset, std::int64_t now_us);
  // The terminal whose output comes next has got another size.
  void resized(std::uint64_t offset, std::int64_t now_us);
  // The log is `size` long although it was `had` before: somebody has cut it. What is written next has the position
  // that it would have had.
  void cut(std::uint64_t had, std::uint64_t size, std::int64_t now_us);

 private:
  void mark_missed(const RunStart& began, const Mark& last, std::uint64_t end, std::int64_t now_us);
  IndexWriter(std::string path, Fd file) : path_(std::move(path)), file_(std::move(file)) {}
  Result<LogIndex> read_back();
  bool append(const Mark& mark);
  bool append_now(const Mark& mark);
  bool put(const Mark& mark);

  std::string path_;
  FileIdentity identity_;
  Fd file_;                 // while it is read only: marks are rare, and thousands of jobs have one each
  std::vector<Mark> owed_;  // a header, a run: not written yet
  std::uint64_t base_ = 0;
  std::uint64_t written_ = 0;  // bytes of index
  std::uint32_t run_ = 0;
  std::uint32_t nonce_ = 0;
  std::int64_t last_us_ = 0;  // 0: the next batch is marked in any case
  std::optional<std::uint64_t> resized_at_;
};

}  // namespace usvc
