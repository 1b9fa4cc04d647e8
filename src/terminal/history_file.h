// The lines typed at a prompt, kept from session to session: a file with one line for each, the newest last.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

class HistoryFile {
 public:
  static constexpr std::size_t most_lines = 1000;
  static constexpr std::size_t longest_line = 4096;

  explicit HistoryFile(std::string path) : path_(std::move(path)) {}

  // The newest lines, oldest first. No file is an empty one. A file that has grown to twice its bound is cut to it.
  Result<std::vector<std::string>> load();
  // Adds a line in one piece, whoever else adds some: sessions side by side lose nothing of each other's. Lines that
  // are several or too long are left out, as are those that begin with a blank, which are not to be kept.
  Status add(std::string_view line);

 private:
  // Locked, and the file that bears the name.
  [[nodiscard]] Result<Fd> lock() const;
  Result<std::vector<std::string>> cut();

  std::string path_;
};

}  // namespace usvc
