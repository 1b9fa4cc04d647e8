// What `usvc log` was asked for.
#pragma once

#include <regex.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/args.h"
#include "job/run_id.h"

namespace usvc {

// Lines that match an extended regular expression, as grep -E has it; bytes, whatever their encoding.
class LineFilter {
 public:
  static Result<LineFilter> create(std::string_view pattern);
  [[nodiscard]] bool matches(std::string_view line) const;

 private:
  struct Free {
    void operator()(regex_t* regex) const {
      ::regfree(regex);
      delete regex;  // NOLINT(cppcoreguidelines-owning-memory): that of the unique_ptr
    }
  };
  std::string literal_;                   // where nothing in the pattern is special
  std::unique_ptr<regex_t, Free> regex_;  // else
};

struct LogOptions {
  bool follow = false;
  bool timestamps = false;
  bool raw = false;
  bool path = false;
  bool pager = true;
  std::optional<std::size_t> lines;  // of each job; none: all
  std::optional<std::int64_t> since_us;
  std::optional<std::int64_t> until_us;
  std::optional<std::int64_t> run;
  std::optional<RunId> run_id;  // instead of a number
  std::optional<LineFilter> grep;
};

std::vector<Flag> log_option_flags();
Result<LogOptions> parse_log_options(const Arguments& arguments, bool called_tail, double now);

}  // namespace usvc
