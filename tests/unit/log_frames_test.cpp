// Compressed logs: any place is found and read on its own, and damage costs what is behind it only.
#include <gtest/gtest.h>

#include <string>

#include "log/frames.h"
#include "log_testing.h"

namespace usvc {
namespace {

using testing_log::compress;

std::string numbered(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i) + " some text\n";
  return text;
}

class LogFrames : public testing_log::LogDirectory {
 protected:
  CompressedFile open(const std::string& bytes) {
    const std::string path = dir_ + "/x.zst";
    EXPECT_TRUE(write_file_atomically(path, bytes));
    const auto file = open_file(path, O_RDONLY);
    auto opened = CompressedFile::open(*file);
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }
};

TEST_F(LogFrames, AnyPlaceCanBeRead) {
  const std::string text = numbered(2000);
  CompressedFile file = open(compress(text, 1000));
  EXPECT_EQ(file.size(), text.size());
  EXPECT_FALSE(file.damaged());
  for (const std::size_t offset :
       {std::size_t{0}, std::size_t{999}, std::size_t{1000}, std::size_t{12345}, text.size() - 1}) {
    const auto bytes = file.read(offset);
    ASSERT_TRUE(bytes);
    ASSERT_FALSE(bytes->empty());
    EXPECT_EQ(*bytes, text.substr(offset, bytes->size())) << offset;
    EXPECT_EQ((offset + bytes->size()) % 1000, (offset + bytes->size()) == text.size() ? text.size() % 1000 : 0U);
  }
  EXPECT_EQ(file.read(text.size()).value(), "");
  EXPECT_EQ(file.read(text.size() + 9999999).value(), "");
}

TEST_F(LogFrames, AnEmptyFileIsAnEmptyLog) {
  CompressedFile file = open("");
  EXPECT_EQ(file.size(), 0U);
  EXPECT_FALSE(file.damaged());
  EXPECT_EQ(file.read(0).value(), "");
}

TEST_F(LogFrames, WhatIsWholeBeforeDamageIsShown) {
  const std::string text = numbered(500);
  const std::string bytes = compress(text, 1000);
  const Frames all = find_frames(bytes);
  ASSERT_GT(all.frames.size(), 3U);
  EXPECT_EQ(all.good, bytes.size());
  CompressedFile torn = open(bytes.substr(0, all.frames[2].begin + 5));
  EXPECT_EQ(torn.size(), 2000U);
  EXPECT_TRUE(torn.damaged());
  std::string bad = bytes;
  bad[all.frames[1].begin + all.frames[1].size / 2] ^= 0x55;
  CompressedFile damaged = open(bad);
  EXPECT_TRUE(damaged.read(0));
  EXPECT_TRUE(open("nothing of zstd's").damaged());
}

TEST_F(LogFrames, AStreamThatDoesNotSayItsSizeIsReadToo) {
  const std::string text = numbered(500);
  std::string bytes(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CStream* stream = ZSTD_createCStream();
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer out{bytes.data(), bytes.size(), 0};
  EXPECT_EQ(ZSTD_isError(ZSTD_compressStream(stream, &out, &in)), 0U);
  EXPECT_EQ(ZSTD_endStream(stream, &out), 0U);
  ZSTD_freeCStream(stream);
  bytes.resize(out.pos);
  ASSERT_EQ(ZSTD_getFrameContentSize(bytes.data(), bytes.size()), ZSTD_CONTENTSIZE_UNKNOWN);
  CompressedFile file = open(bytes);
  EXPECT_EQ(file.size(), text.size());
  EXPECT_EQ(file.read(10).value(), text.substr(10));
}

}  // namespace
}  // namespace usvc
