#include "manager/attainable.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>

#include "job/limits.h"
#include "log/disposal.h"
#include "manager/instance.h"
#include "proc/limits.h"

namespace usvc {

Status check_attainable(const Conf& conf, std::string_view key, std::string_view value) {
  if (key == "log" && !conf.log.empty()) {
    if (auto plain = check_log_place(conf.log); !plain) return plain;
    if (auto rotates = check_log_rotates(conf.log); !rotates) return rotates;
    return check_index_place(conf.log);
  }
  if (key == "nice" && conf.nice) return check_niceness(*conf.nice);
  if (key != "limit") return {};
  const auto asked = parse_limit(value);
  if (!asked) return {};
  const auto limit =
      std::ranges::find_if(conf.limits, [&](const Limit& set) { return set.resource == asked->resource; });
  return limit == conf.limits.end() ? Status() : check_limit(*limit);
}

Status check_log_is_own(const Instance& instance, const std::string& log, const std::vector<std::string>& names) {
  if (log.empty()) return {};
  if (names.size() > 1) {
    return fail(Error("the log " + log + " cannot be that of " + std::to_string(names.size()) + " jobs")
                    .hint("without one each has its own"));
  }
  for (const auto& [name, job] : instance.jobs()) {
    const bool another = std::ranges::find(names, name) == names.end();
    if (another && job->conf && job->conf->log == log) {
      return fail(Error(fmt::format("the log {} is that of {} already", log, name)).hint("name another file"));
    }
  }
  return {};
}

std::vector<Limit> inherited_limits() {
  auto limits = own_limits();
  for (auto& limit : limits) {
    if (limit.resource == RLIMIT_NOFILE) limit.soft = limit.hard;
  }
  return limits;
}

std::vector<std::string> unattainable(const Conf& conf, const Conf* before) {
  std::vector<std::string> reasons;
  const auto note = [&](const Status& checked) {
    if (!checked) reasons.push_back(checked.error().message());
  };
  if (conf.nice && (before == nullptr || before->nice != conf.nice)) note(check_niceness(*conf.nice));
  for (const Limit& limit : conf.limits) {
    if (before == nullptr || std::ranges::count(before->limits, limit) == 0) note(check_limit(limit));
  }
  return reasons;
}

}  // namespace usvc
