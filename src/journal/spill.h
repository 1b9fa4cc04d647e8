// Journal lines that the disk does not take now, kept where a kill of the manager does not reach them: in a memory file
// that the keeper holds too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

class Spill {
 public:
  struct Content {
    std::uint64_t segment = 0;  // where in the journal its first byte belongs
    std::uint64_t offset = 0;
    std::string text;
  };

  static constexpr std::size_t largest = std::size_t{8} << 20U;

  static Result<Fd> make_file();

  Spill() = default;  // keeps nothing: add() fails
  explicit Spill(Fd file) : file_(std::move(file)) {}

  [[nodiscard]] Result<Content> read() const;
  // Where the first byte belongs counts only while nothing is kept. Kept whole or not at all.
  Status add(std::uint64_t segment, std::uint64_t offset, std::string_view text);
  Status clear();

 private:
  struct Header {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  [[nodiscard]] Result<Header> header() const;
  Status put(const Header& header);

  Fd file_;
};

}  // namespace usvc
