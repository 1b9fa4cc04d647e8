#include "job/limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace usvc {
namespace {

struct Row {
  std::string_view name;
  int resource;
};
constexpr std::array<Row, 16> rows{{{"cpu", RLIMIT_CPU},
                                    {"fsize", RLIMIT_FSIZE},
                                    {"data", RLIMIT_DATA},
                                    {"stack", RLIMIT_STACK},
                                    {"core", RLIMIT_CORE},
                                    {"rss", RLIMIT_RSS},
                                    {"nproc", RLIMIT_NPROC},
                                    {"nofile", RLIMIT_NOFILE},
                                    {"memlock", RLIMIT_MEMLOCK},
                                    {"as", RLIMIT_AS},
                                    {"locks", RLIMIT_LOCKS},
                                    {"sigpending", RLIMIT_SIGPENDING},
                                    {"msgqueue", RLIMIT_MSGQUEUE},
                                    {"nice", RLIMIT_NICE},
                                    {"rtprio", RLIMIT_RTPRIO},
                                    {"rttime", RLIMIT_RTTIME}}};
static_assert(rows.size() == RLIM_NLIMITS);

std::string names_in_a_row() {
  std::string names;
  for (const Row& row : rows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

std::optional<std::uint64_t> parse_value(std::string_view text) {
  if (text == "unlimited") return RLIM_INFINITY;
  const auto value = parse_integer<std::uint64_t>(text);
  // The largest number is how the kernel writes "unlimited"; one way to say it is enough.
  return value == RLIM_INFINITY ? std::nullopt : value;
}

std::string format_value(std::uint64_t value) {
  return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words = split(trim(text), ' ');
  std::erase(words, std::string_view());
  return words;
}

}  // namespace

std::string limit_name(int resource) {
  const auto* row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.resource == resource; });
  return row == rows.end() ? std::to_string(resource) : std::string(row->name);
}

std::vector<int> all_limits() {
  std::vector<int> resources;
  resources.reserve(rows.size());
  for (const Row& row : rows) resources.push_back(row.resource);
  std::sort(resources.begin(), resources.end());
  return resources;
}

Result<Limit> parse_limit(std::string_view text) {
  const auto wrong = [&](const std::string& why, std::string allowed) {
    return fail(Error("'" + printable(text) + "' is not a limit: " + why, ErrorKind::usage).hint(std::move(allowed)));
  };
  const std::string form = "NAME SOFT HARD, each a number or unlimited, like nofile 1024 4096";
  const auto words = words_of(text);
  if (words.size() < 2 || words.size() > 3) return wrong("it takes a name and one or two values", form);
  const auto* row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == words[0]; });
  if (row == rows.end()) return wrong("no limit is called '" + printable(words[0]) + "'", names_in_a_row());
  const auto soft = parse_value(words[1]);
  const auto hard = parse_value(words.back());
  if (!soft || !hard) return wrong("'" + printable(soft ? words.back() : words[1]) + "' is not a value", form);
  if (*soft > *hard) return wrong("the soft limit is above the hard one", form);
  return Limit{row->resource, *soft, *hard};
}

std::string format_limit(const Limit& limit) {
  return limit_name(limit.resource) + " " + format_value(limit.soft) + " " + format_value(limit.hard);
}

}  // namespace usvc
