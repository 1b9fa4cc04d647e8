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

struct Words {
  std::array<std::string_view, 3> first;
  std::size_t count = 0;
};

Words words_of(std::string_view text) {
  Words words;
  for (text = trim(text); !text.empty(); text = trim(text)) {
    const auto word = text.substr(0, text.find(' '));
    if (words.count < words.first.size()) words.first.at(words.count) = word;
    ++words.count;
    text.remove_prefix(word.size());
  }
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
  constexpr const char* form = "NAME SOFT HARD, each a number or unlimited, like nofile 1024 4096";
  const auto [words, count] = words_of(text);
  if (count < 2 || count > words.size()) return wrong("it takes a name and one or two values", form);
  const std::string_view name = words[0];
  const auto* row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
  if (row == rows.end()) return wrong("no limit is called '" + printable(name) + "'", names_in_a_row());
  const auto soft = parse_value(words[1]);
  const auto hard = parse_value(words.at(count - 1));
  if (!soft || !hard) return wrong("'" + printable(soft ? words.at(count - 1) : words[1]) + "' is not a value", form);
  if (*soft > *hard) return wrong("the soft limit is above the hard one", form);
  return Limit{row->resource, *soft, *hard};
}

std::string format_limit(const Limit& limit) {
  return limit_name(limit.resource) + " " + format_value(limit.soft) + " " + format_value(limit.hard);
}

}  // namespace usvc
