#include "base/signals.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

#include "base/text.h"

namespace usvc {
namespace {

// 64 on Linux; NSIG is one more.
constexpr int last_signal = NSIG - 1;

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c; });
  return result;
}

// "RTMIN", "RTMIN+3", "RTMAX-1"; 0 for anything else.
int realtime_signal(std::string_view name) {
  const bool from_below = name.starts_with("RTMIN");
  if (!from_below && !name.starts_with("RTMAX")) return 0;
  const int base = from_below ? SIGRTMIN : SIGRTMAX;
  name.remove_prefix(5);
  if (name.empty()) return base;
  if (name.size() < 2 || name[0] != (from_below ? '+' : '-') || name[1] < '0' || name[1] > '9') return 0;
  const auto offset = parse_number(name.substr(1));
  if (!offset || *offset > SIGRTMAX - SIGRTMIN) return 0;
  return from_below ? base + static_cast<int>(*offset) : base - static_cast<int>(*offset);
}

int named_signal(const std::string& name) {
  for (int signal = 1; signal <= last_signal; ++signal) {
    const char* known = ::sigabbrev_np(signal);
    if (known != nullptr && name == known) return signal;
  }
  // Second names that other systems and kill -l use.
  if (name == "IOT") return SIGABRT;
  if (name == "CLD") return SIGCHLD;
  if (name == "IO") return SIGIO;
  return realtime_signal(name);
}

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (int signal = 1; signal <= last_signal; ++signal) {
    if (const char* known = ::sigabbrev_np(signal); known != nullptr) names.emplace_back(known);
  }
  return names;
}

}  // namespace

std::string signal_name(int signal) {
  if (const char* known = ::sigabbrev_np(signal); known != nullptr) return known;
  if (signal == SIGRTMIN) return "RTMIN";
  if (signal > SIGRTMIN && signal <= SIGRTMAX) return "RTMIN+" + std::to_string(signal - SIGRTMIN);
  return std::to_string(signal);
}

Result<int> parse_signal(std::string_view text) {
  const auto wrong = [&](std::string hint) {
    return fail(Error("no signal is called '" + printable(text) + "'", ErrorKind::usage).hint(std::move(hint)));
  };
  const std::string names = "a name like TERM or a number from 1 to " + std::to_string(last_signal);
  if (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    const auto number = parse_number(text);
    if (!number || *number < 1 || *number > last_signal) return wrong(names);
    return static_cast<int>(*number);
  }
  std::string name = upper(text);
  if (name.starts_with("SIG")) name.erase(0, 3);
  if (const int signal = named_signal(name); signal != 0) return signal;
  const std::string near = nearest(name, known_names());
  return wrong(near.empty() ? names : "did you mean '" + near + "'?");
}

}  // namespace usvc
