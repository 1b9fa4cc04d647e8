// JSON and YAML as one tree in which everything knows its line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace usvc::foreign {

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;  // of a scalar, numbers and booleans as they were written
  int line = 0;
  std::string key;  // of a map's member
  std::vector<Node> children;

  // Of a map; nullptr: it has none, or is none.
  [[nodiscard]] const Node* find(std::string_view name) const;
  [[nodiscard]] bool is_false() const;  // false, 0, no, null or nothing at all
};

inline constexpr int deepest_node = 64;
inline constexpr std::size_t most_nodes = 200'000;
inline constexpr std::size_t most_bytes = std::size_t{64} << 20U;
inline constexpr std::string_view too_large = "this is nested too deep, or too large";

class TreeSize {
 public:
  // False: this is more than a tree may have.
  bool add(std::size_t nodes, std::size_t bytes) {
    nodes_ += nodes;
    bytes_ += bytes;
    return nodes_ <= most_nodes && bytes_ <= most_bytes;
  }

 private:
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
};

// With comments and trailing commas, which people write. Errors read "FILE:LINE: why".
Result<Node> read_json(std::string_view text, const std::string& file);
// The first document; aliases and merge keys (<<) are resolved.
Result<Node> read_yaml(std::string_view text, const std::string& file);

}  // namespace usvc::foreign
