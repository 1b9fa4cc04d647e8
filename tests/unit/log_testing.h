// Logs made by hand: files with their indexes, rotated and compressed.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "job/layout.h"
#include "log/files.h"
#include "log/index.h"
#include "unit/temporary_directory.h"

namespace usvc::testing_log {

inline std::string bytes_of(const std::vector<Mark>& marks) {
  std::string bytes;
  for (const auto& mark : marks) {
    const auto one = to_bytes(mark);
    bytes.append(one.data(), one.size());
  }
  return bytes;
}

// One frame behind the other, of so many raw bytes each.
inline std::string compress(std::string_view text, std::size_t frame_size) {
  std::string bytes;
  for (; !text.empty(); text.remove_prefix(std::min(frame_size, text.size()))) {
    const auto raw = text.substr(0, frame_size);
    std::string frame(ZSTD_compressBound(raw.size()), '\0');
    const std::size_t size = ZSTD_compress(frame.data(), frame.size(), raw.data(), raw.size(), 3);
    EXPECT_EQ(ZSTD_isError(size), 0U);
    bytes.append(frame, 0, size);
  }
  return bytes;
}

inline void put(const Fd& fd, std::string_view text) {
  ASSERT_TRUE(write_all(fd, text));
}

class LogDirectory : public testing::Test {
 protected:
  void SetUp() override {
    layout_ = Layout::from(
                  dir_, [](const char*) -> const char* { return nullptr; }, "/")
                  .value();
    ASSERT_TRUE(ensure_private_dir(layout_.old_logs_dir));
    log_ = layout_.log_path("web");
  }

  void append(const std::string& text) { append(log_, text); }
  static void append(const std::string& path, const std::string& text) {
    const auto file = open_file(path, O_WRONLY | O_CREAT | O_APPEND);
    ASSERT_TRUE(file);
    ASSERT_TRUE(write_all(*file, text));
  }
  void mark(const std::vector<Mark>& marks) { append(index_of(log_), bytes_of(marks)); }
  // As the writer does: the index first.
  void rotate() {
    const auto next = next_rotated(layout_, log_);
    ASSERT_TRUE(next);
    (void)std::rename(index_of(log_).c_str(), next->index_path.c_str());
    ASSERT_EQ(std::rename(log_.c_str(), next->path.c_str()), 0);
  }
  [[nodiscard]] std::string old_path(int number) const {
    std::string digits = std::to_string(number);
    digits.insert(0, 6 - digits.size(), '0');
    return layout_.old_logs_dir + "/web.log." + digits;
  }
  void compress_old(int number, std::size_t frame_size = 1000) {
    const std::string path = old_path(number);
    append(path + ".zst", compress(read_file(path).value(), frame_size));
    ASSERT_EQ(::unlink(path.c_str()), 0);
  }

  TemporaryDirectory directory_;
  const std::string dir_ = directory_.path();
  Layout layout_;
  std::string log_;
};

}  // namespace usvc::testing_log
