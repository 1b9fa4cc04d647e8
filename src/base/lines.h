// Cuts a stream of bytes into lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace usvc {

class LineSplitter {
 public:
  // The lines that `bytes` brings to an end, without their newlines; valid until the next call.
  const std::vector<std::string_view>& feed(std::string_view bytes) {
    buffer_.erase(0, begin_);
    begin_ = 0;
    std::size_t scan = buffer_.size();
    buffer_.append(bytes);
    lines_.clear();
    for (;;) {
      const std::size_t newline = buffer_.find('\n', scan);
      if (newline == std::string::npos) return lines_;
      lines_.push_back(std::string_view(buffer_).substr(begin_, newline - begin_));
      begin_ = scan = newline + 1;
    }
  }
  // What came after the last newline.
  [[nodiscard]] std::string_view rest() const { return std::string_view(buffer_).substr(begin_); }

 private:
  std::string buffer_;
  std::size_t begin_ = 0;
  std::vector<std::string_view> lines_;
};

}  // namespace usvc
