#include "proc/oom.h"

#include "base/files.h"
#include "base/text.h"

namespace usvc {

std::optional<std::uint64_t> oom_kill_count(std::string_view text) {
  constexpr std::string_view key = "oom_kill ";
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with(key)) continue;
    const auto number = parse_number(line.substr(key.size()));
    if (number && *number >= 0) return static_cast<std::uint64_t>(*number);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> oom_kills() {
  std::string text;
  if (!read_small("/proc/vmstat", text)) return std::nullopt;
  return oom_kill_count(text);
}

std::optional<std::uint64_t> oom_kills_in(const std::string& cgroup) {
  std::string text;
  if (!read_small((cgroup + "/memory.events").c_str(), text)) return std::nullopt;
  return oom_kill_count(text);
}

}  // namespace usvc
