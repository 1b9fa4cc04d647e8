#include "cli/log_options.h"

#include <array>
#include <cmath>
#include <string>

#include "base/text.h"
#include "base/time.h"

namespace usvc {

namespace {

constexpr std::size_t usual_lines = 100;

Result<std::optional<std::size_t>> parse_lines(const std::string& text) {
  if (text == "all") return std::nullopt;
  const auto number = parse_integer<std::size_t>(text);
  if (number) return *number;
  return fail("-n " + printable(text) + ": must be a number of lines, or all", ErrorKind::usage);
}

Result<std::optional<std::int64_t>> parse_moment(const Arguments& arguments, const char* flag, double now) {
  const auto text = arguments.value(flag);
  if (!text) return std::nullopt;
  auto moment = parse_time(*text, now);
  if (!moment) return fail(std::move(moment).error().context(flag).as(ErrorKind::usage));
  return static_cast<std::int64_t>(std::llround(*moment * 1e6));
}

Status parse_run(const Arguments& arguments, LogOptions& options) {
  const auto text = arguments.value("--run");
  if (!text) return {};
  const auto number = parse_integer<std::int64_t>(*text);
  if (number && *number != 0) {
    options.run = number;
    return {};
  }
  auto id = parse_run_id(*text);
  if (!id) {
    return fail(Error("--run " + printable(*text) + ": must be the number of a run, or a run id", ErrorKind::usage)
                    .hint("1 is the first, -1 the last; usvc --json events shows ids"));
  }
  options.run_id = std::move(*id);
  return {};
}

}  // namespace

Result<LineFilter> LineFilter::create(std::string_view pattern) {
  LineFilter filter;
  if (!pattern.empty() &&
      pattern.find_first_of(std::string_view("\\.[]{}()*+?^$|\n\0", 16)) == std::string_view::npos) {
    filter.literal_ = pattern;
    return filter;
  }
  auto regex = std::make_unique<regex_t>();
  const std::string text(pattern);
  constexpr int flags = REG_EXTENDED | REG_NOSUB;
  const int error = text.find('\0') == std::string::npos ? ::regcomp(regex.get(), text.c_str(), flags) : REG_BADPAT;
  if (error != 0) {
    std::array<char, 200> why{};
    (void)::regerror(error, nullptr, why.data(), why.size());
    return fail("--grep " + printable(pattern) + ": " + why.data(), ErrorKind::usage);
  }
  filter.regex_.reset(regex.release());
  return filter;
}

bool LineFilter::matches(std::string_view line) const {
  if (!literal_.empty()) return line.find(literal_) != std::string_view::npos;
  std::array<regmatch_t, 1> range{};
  range[0].rm_so = 0;
  range[0].rm_eo = static_cast<regoff_t>(line.size());
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): REG_STARTEND says where it ends
  return ::regexec(regex_.get(), line.data(), range.size(), range.data(), REG_STARTEND) == 0;
}

std::vector<Flag> log_option_flags() {
  return {
      {"--follow", 'f', "", "go on showing what is written, until Ctrl-C"},
      {"--lines", 'n', "N", "the last N lines of each job (100), or all"},
      {"--timestamps", 't', "", "when each line came, in front of it"},
      {"--since", 0, "T", "only from then on: 10m (ago), 10:00, yesterday, '2026-11-22 10:00', 2026-11-22T10:00:00Z"},
      {"--until", 0, "T", "only up to then"},
      {"--run", 0, "N", "only that run: 1 is the first, -1 the last; or its run id"},
      {"--grep", 0, "RE", "only lines that match (grep -E)"},
      {"--raw", 0, "", "the bytes as they are, on a terminal too and without names"},
      {"--no-pager", 0, "", "a long log on a terminal at once, not through $PAGER"},
      {"--path", 0, "", "only where the logs are, the oldest file first"}};
}

Result<LogOptions> parse_log_options(const Arguments& arguments, bool called_tail, double now) {
  LogOptions options;
  options.follow = called_tail || arguments.has("--follow");
  options.timestamps = arguments.has("--timestamps");
  options.raw = arguments.has("--raw");
  options.path = arguments.has("--path");
  options.pager = !arguments.has("--no-pager");
  auto since = parse_moment(arguments, "--since", now);
  if (!since) return pass(since);
  options.since_us = *since;
  auto until = parse_moment(arguments, "--until", now);
  if (!until) return pass(until);
  options.until_us = *until;
  if (options.since_us && options.until_us && *options.since_us > *options.until_us) {
    return fail("--since " + printable(*arguments.value("--since")) + " is later than --until " +
                    printable(*arguments.value("--until")),
                ErrorKind::usage);
  }
  if (auto run = parse_run(arguments, options); !run) return pass(run);
  if (const auto pattern = arguments.value("--grep")) {
    auto filter = LineFilter::create(*pattern);
    if (!filter) return pass(filter);
    options.grep = std::move(*filter);
  }
  const bool chosen = options.since_us || options.until_us || options.run || options.run_id || options.grep;
  if (const auto text = arguments.value("--lines")) {
    auto lines = parse_lines(*text);
    if (!lines) return pass(lines);
    options.lines = *lines;
  } else if (!chosen) {
    options.lines = usual_lines;
  }
  if (options.follow && options.until_us) {
    return fail("--follow has no end, so --until cannot be given with it", ErrorKind::usage);
  }
  return options;
}

}  // namespace usvc
