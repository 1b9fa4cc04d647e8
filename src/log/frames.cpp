#include "log/frames.h"

#include <zstd.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>

namespace usvc {

namespace {

// What a frame may hold. Those of zstd(1), which makes one of a whole file, come up to this too.
constexpr std::uint64_t largest = std::uint64_t{256} << 20U;

Result<std::string> decode(std::string_view frame, std::uint64_t most) {
  std::string text(most, '\0');
  const std::size_t size = ZSTD_decompress(text.data(), text.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0) return fail(std::string("damaged: ") + ZSTD_getErrorName(size));
  text.resize(size);
  return text;
}

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { (void)ZSTD_freeDStream(stream); }
};

// What a stream holds that does not say so is known when it has been read.
std::optional<std::uint64_t> count_raw(std::string_view frame) {
  const std::unique_ptr<ZSTD_DStream, FreeStream> stream(ZSTD_createDStream());
  std::vector<char> buffer(ZSTD_DStreamOutSize());
  ZSTD_inBuffer in{frame.data(), frame.size(), 0};
  for (std::uint64_t size = 0; size <= largest;) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    const std::size_t left = ZSTD_decompressStream(stream.get(), &out, &in);
    if (ZSTD_isError(left) != 0) return std::nullopt;
    size += out.pos;
    if (left == 0) return size;
    if (in.pos == in.size && out.pos < out.size) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> raw_size_of(std::string_view frame) {
  const unsigned long long told = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (told == ZSTD_CONTENTSIZE_ERROR) return std::nullopt;
  if (told == ZSTD_CONTENTSIZE_UNKNOWN) return count_raw(frame);
  return told <= largest ? std::optional<std::uint64_t>(told) : std::nullopt;
}

}  // namespace

Frames find_frames(std::string_view bytes) {
  Frames found;
  std::uint64_t raw_begin = 0;
  while (found.good < bytes.size()) {
    const std::string_view rest = bytes.substr(found.good);
    const std::size_t size = ZSTD_findFrameCompressedSize(rest.data(), rest.size());
    if (ZSTD_isError(size) != 0 || size == 0 || size > rest.size()) break;
    const auto raw_size = raw_size_of(rest.substr(0, size));
    if (!raw_size) break;
    if (*raw_size > 0) found.frames.push_back({found.good, size, raw_begin, *raw_size});
    found.good += size;
    raw_begin += *raw_size;
  }
  return found;
}

Result<std::string> decode_frame(std::string_view bytes, const Frame& frame) {
  auto text = decode(bytes.substr(frame.begin, frame.size), frame.raw_size);
  if (text && text->size() != frame.raw_size) return fail("damaged: a frame holds less than it says");
  return text;
}

Result<CompressedFile> CompressedFile::open(FdRef file) {
  CompressedFile opened;
  auto size = file_size(file);
  if (!size) return pass(size);
  if (*size == 0) return opened;  // an empty range can't be mapped
  auto mapping = Mapping::map(file, *size, Mapping::Sharing::copy_on_write);
  if (!mapping) return pass(mapping);
  opened.mapping_ = std::move(*mapping);
  opened.found_ = find_frames(opened.bytes());
  return opened;
}

std::string_view CompressedFile::bytes() const {
  const auto mapped = mapping_.bytes();
  return {reinterpret_cast<const char*>(mapped.data()), mapped.size()};
}

std::uint64_t CompressedFile::size() const {
  if (found_.frames.empty()) return 0;
  return found_.frames.back().raw_begin + found_.frames.back().raw_size;
}

bool CompressedFile::damaged() const {
  return found_.good < mapping_.bytes().size();
}

Result<std::string_view> CompressedFile::read(std::uint64_t offset) {
  const auto after =
      std::upper_bound(found_.frames.begin(), found_.frames.end(), offset,
                       [](std::uint64_t wanted, const Frame& frame) { return wanted < frame.raw_begin; });
  if (after == found_.frames.begin()) return std::string_view();
  const Frame& frame = *std::prev(after);
  if (offset - frame.raw_begin >= frame.raw_size) return std::string_view();
  if (decoded_ != &frame) {
    decoded_ = nullptr;
    auto text = decode_frame(bytes(), frame);
    if (!text) return pass(text);
    text_ = std::move(*text);
    decoded_ = &frame;
  }
  return std::string_view(text_).substr(offset - frame.raw_begin);
}

}  // namespace usvc
