// A compressed log: zstd frames one behind the other, each of which can be read without those before it. usvc makes
// them of 1 MiB of log each, so that a place in the middle costs one frame; whatever else zstd makes can be read too,
// if its frames are not too large to be held in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"

namespace usvc {

// Where a frame lies among the compressed bytes, and which of the raw bytes it holds.
struct Frame {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  std::uint64_t raw_begin = 0;
  std::uint64_t raw_size = 0;
};

struct Frames {
  std::vector<Frame> frames;  // those with something in them
  std::uint64_t good = 0;     // so many compressed bytes from the beginning are whole frames; less than all: damage
};
Frames find_frames(std::string_view bytes);
Result<std::string> decode_frame(std::string_view bytes, const Frame& frame);

class CompressedFile {
 public:
  static Result<CompressedFile> open(FdRef file);

  // Raw bytes, as far as they can be read.
  [[nodiscard]] std::uint64_t size() const;
  // Whether something behind them can't.
  [[nodiscard]] bool damaged() const;
  // From `offset` on, up to where the frame ends; empty at the end. Valid until the next call.
  Result<std::string_view> read(std::uint64_t offset);

 private:
  [[nodiscard]] std::string_view bytes() const;

  Mapping mapping_;
  Frames found_;
  const Frame* decoded_ = nullptr;
  std::string text_;  // of `decoded_`
};

}  // namespace usvc
