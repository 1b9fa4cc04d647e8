#include "terminal/top/history.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

namespace usvc::top {

namespace {

constexpr float nothing = std::numeric_limits<float>::quiet_NaN();
constexpr std::array<float, 7> cpu_steps = {1, 3, 7, 15, 30, 60, 100};
constexpr std::array<std::string_view, 8> blocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 8> letters = {"_", ".", ":", "-", "=", "+", "*", "#"};

std::string_view column(std::size_t level, Charset charset) {
  return charset == Charset::unicode ? blocks[level] : letters[level];
}

}  // namespace

void History::push(std::uint64_t tick, float value) {
  const std::uint64_t missing = ring_.empty() ? 1 : tick - tick_;
  ring_.insert(ring_.end(), static_cast<std::size_t>(std::min<std::uint64_t>(missing, longest)), value);
  if (ring_.size() > longest) ring_.erase(ring_.begin(), ring_.end() - static_cast<std::ptrdiff_t>(longest));
  tick_ = tick;
}

void History::add(std::uint64_t tick, float value) {
  if (!ring_.empty() && tick <= tick_) {
    ring_.back() = value;
    return;
  }
  push(tick, value);
}

void History::skip(std::uint64_t tick) {
  if (ring_.empty() || tick <= tick_) return;
  push(tick, nothing);
}

std::vector<float> History::last(std::uint64_t tick, std::size_t count) const {
  std::vector<float> found(count, nothing);
  // What was not measured since the newest is not known yet: the newest still holds.
  const bool recent = !ring_.empty() && tick >= tick_ && tick - tick_ < longest;
  std::size_t to = count;
  for (std::uint64_t late = recent ? tick - tick_ : 0; late > 0 && to > 0; --late) found[--to] = ring_.back();
  for (auto sample = ring_.rbegin(); recent && to > 0 && sample != ring_.rend(); ++sample) found[--to] = *sample;
  return found;
}

std::string cpu_line(const std::vector<float>& percents, Charset charset) {
  std::string line;
  for (const float percent : percents) {
    if (std::isnan(percent)) {
      line += ' ';
      continue;
    }
    const auto* step = std::upper_bound(cpu_steps.begin(), cpu_steps.end(), percent);
    line += column(static_cast<std::size_t>(step - cpu_steps.begin()), charset);
  }
  return line;
}

std::string memory_line(const std::vector<float>& bytes, Charset charset) {
  float least = std::numeric_limits<float>::max();
  float most = 0;
  for (const float size : bytes) {
    if (std::isnan(size)) continue;
    least = std::min(least, size);
    most = std::max(most, size);
  }
  const float range = std::max({most - least, most / 4, 1.0F});
  std::string line;
  for (const float size : bytes) {
    if (std::isnan(size)) {
      line += ' ';
      continue;
    }
    const float height = (size - least) / range * static_cast<float>(blocks.size());
    line += column(std::min(static_cast<std::size_t>(height), blocks.size() - 1), charset);
  }
  return line;
}

}  // namespace usvc::top
