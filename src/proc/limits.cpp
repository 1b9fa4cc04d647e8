#include "proc/limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <string>

#include "base/files.h"
#include "base/text.h"
#include "proc/mounts.h"
#include "proc/scan.h"

namespace usvc {

namespace {

std::optional<std::uint64_t> limit_number(std::string_view word) {
  if (word == "unlimited") return std::numeric_limits<std::uint64_t>::max();
  return whole_number<std::uint64_t>(word);
}

std::string_view next_word(Words& words) {
  std::string_view word;
  while (word.empty() && !words.at_end()) word = words.next();
  return word;
}

std::optional<std::uint64_t> read_number(const char* path) {
  std::string text;
  if (!read_small(path, text)) return std::nullopt;
  return whole_number<std::uint64_t>(trim(text));
}

constexpr auto terminals_dir = "/dev/pts";

std::optional<Terminals> terminals_of_mount() {
  const auto mounts = read_mounts();
  const auto last =
      std::find_if(mounts.rbegin(), mounts.rend(), [](const Mount& mount) { return mount.point == terminals_dir; });
  if (last == mounts.rend() || last->type != "devpts") return std::nullopt;
  const auto most = most_terminals(last->options);
  const auto names = list_dir(terminals_dir);
  if (!most || !names) return std::nullopt;
  const auto used = std::ranges::count_if(*names, [](const auto& name) { return name != "ptmx"; });
  return Terminals{.used = static_cast<std::uint64_t>(used), .most = *most, .of_mount = true};
}

std::uint64_t left_of(const Terminals& terminals) {
  return terminals.most - std::min(terminals.most, terminals.used + terminals.reserved);
}

}  // namespace

std::optional<DescriptorLimit> parse_descriptor_limit(std::string_view limits) {
  constexpr std::string_view row = "Max open files";
  for (const auto line : split(limits, '\n')) {
    if (!line.starts_with(row)) continue;
    Words words(line.substr(row.size()));
    const auto soft = limit_number(next_word(words));
    const auto hard = limit_number(next_word(words));
    if (soft && hard) return DescriptorLimit{.soft = *soft, .hard = *hard};
  }
  return std::nullopt;
}

std::optional<DescriptorLimit> read_descriptor_limit(pid_t pid) {
  std::string text;
  if (!read_small(ProcPath(pid, "limits").c_str(), text)) return std::nullopt;
  return parse_descriptor_limit(text);
}

std::vector<Limit> own_limits() {
  std::vector<Limit> limits;
  for (const int resource : all_limits()) {
    rlimit limit{};
    if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) continue;
    limits.push_back({resource, limit.rlim_cur, limit.rlim_max});
  }
  return limits;
}

Status check_niceness(int niceness) {
  const int own = ::getpriority(PRIO_PROCESS, 0);
  if (niceness >= own) return {};
  if (::setpriority(PRIO_PROCESS, 0, niceness) == 0) {
    if (::setpriority(PRIO_PROCESS, 0, own) == 0) return {};
    return fail(Error::last("cannot set the niceness back to " + std::to_string(own)));
  }
  const Error refused = Error::last("cannot have niceness " + std::to_string(niceness));
  constexpr int highest = 20;  // and as far below zero; the limit counts from there: getrlimit(2)
  rlimit limit{};
  const bool known = ::getrlimit(RLIMIT_NICE, &limit) == 0;
  const int allowed = known ? highest - static_cast<int>(std::min<rlim_t>(limit.rlim_cur, highest + highest)) : own;
  return fail(Error(refused).hint("here it can be " + std::to_string(std::min(own, allowed)) +
                                  " or more; ulimit -e, where usvc init is done, says so"));
}

namespace {

// Of a limit that is above what there is.
std::string higher_limit_hint(const Limit& limit, std::uint64_t own) {
  const auto most = limit.resource == RLIMIT_NOFILE ? read_number("/proc/sys/fs/nr_open") : std::nullopt;
  if (most && limit.hard > *most) return "the kernel's most is sysctl fs.nr_open = " + std::to_string(*most);
  return "usvc itself has " + std::to_string(own) + ": raise the hard limit where usvc init is done, ulimit -H";
}

}  // namespace

Status check_limit(const Limit& limit) {
  const auto resource = static_cast<__rlimit_resource>(limit.resource);
  rlimit own{};
  if (::getrlimit(resource, &own) != 0 || limit.hard <= own.rlim_max) return {};
  const rlimit higher{.rlim_cur = own.rlim_cur, .rlim_max = limit.hard};
  const std::string what = "limit " + format_limit(limit);
  if (::setrlimit(resource, &higher) != 0) {
    return fail(Error::last("cannot have " + what).hint(higher_limit_hint(limit, own.rlim_max)));
  }
  if (::setrlimit(resource, &own) == 0) return {};
  return fail(Error::last("cannot set back what was raised to " + what));
}

std::optional<std::uint64_t> open_descriptors(pid_t pid) {
  const auto entries = numbered_entries(ProcPath(pid, "fd").c_str());
  if (entries.empty()) return std::nullopt;
  return entries.size();
}

std::optional<std::uint64_t> most_terminals(std::string_view options) {
  constexpr std::string_view key = "max=";
  for (const auto option : split(options, ',')) {
    if (option.starts_with(key)) return whole_number<std::uint64_t>(option.substr(key.size()));
  }
  return std::nullopt;
}

std::optional<Terminals> read_terminals() {
  auto mounted = terminals_of_mount();
  const auto used = read_number("/proc/sys/kernel/pty/nr");
  const auto most = read_number("/proc/sys/kernel/pty/max");
  if (!used || !most) return mounted;
  const Terminals machine{
      .used = *used, .most = *most, .reserved = read_number("/proc/sys/kernel/pty/reserve").value_or(0)};
  return mounted && left_of(*mounted) < left_of(machine) ? mounted : machine;
}

bool maps_replaced_library(std::string_view maps) {
  constexpr std::string_view gone = " (deleted)";
  for (const auto line : split(maps, '\n')) {
    if (!line.ends_with(gone)) continue;
    Words words(line);
    words.next();  // addresses
    const std::string_view rights = words.next();
    // Not memory shared through a file without a name: memfd, SysV segments, /dev/shm.
    if (rights.find('x') != std::string_view::npos && line.find(".so") != std::string_view::npos) return true;
  }
  return false;
}

bool has_replaced_library(pid_t pid) {
  std::string text;
  return read_small(ProcPath(pid, "maps").c_str(), text) && maps_replaced_library(text);
}

}  // namespace usvc
