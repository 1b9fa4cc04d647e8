// The last samples of one figure of a job, and how they look in a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace usvc::top {

// What a terminal can show besides ASCII.
enum class Charset : std::uint8_t { unicode, ascii };

class History {
 public:
  static constexpr std::size_t longest = 64;

  // The figure at a tick, the number of a moment; it holds for the ticks since the last one too, which it is the
  // average of. Ticks only grow.
  void add(std::uint64_t tick, float value);
  // There was nothing to measure: it is shown as a gap.
  void skip(std::uint64_t tick);

  // The last ones up to `tick`, oldest first, NaN where there is none; always `count` of them.
  [[nodiscard]] std::vector<float> last(std::uint64_t tick, std::size_t count) const;

 private:
  void push(std::uint64_t tick, float value);

  std::vector<float> ring_;  // as long as it has to be
  std::uint64_t tick_ = 0;   // of the newest
};

// Columns for each sample. CPU by one scale for all jobs, in steps that tell idle from busy: 1, 3, 7, 15, 30, 60 and
// 100 percent of a core are where the next block begins.
std::string cpu_line(const std::vector<float>& percents, Charset charset);
// Memory from the least to the most that is shown, so that growth is seen; a change by less than a quarter does not
// fill the height.
std::string memory_line(const std::vector<float>& bytes, Charset charset);

}  // namespace usvc::top
