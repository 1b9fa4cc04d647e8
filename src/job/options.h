// Every option of a job, one row each. The conf parser, the command line, the man page and the completions read it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace usvc {

enum class OptionType {
  text,      // any bytes but NUL, not none
  any_text,  // the same, the empty text included
  path,      // absolute; the command line makes it so before it gets here
  job_name,
  group_name,
  boolean,   // as git has them
  number,    // min..max
  size,      // min..max bytes, "64M"
  duration,  // min..max seconds, "1h30m"
  signal,    // "TERM"
  choice,    // one of `choices`
  umask,     // octal
  limit,     // "nofile 1024 4096"
};

struct Option {
  std::string_view key = {};  // in the conf, section [core]
  OptionType type = OptionType::text;
  bool repeatable = false;
  std::string_view flag = {};        // "--stop-timeout"; empty: cannot be given on the command line
  std::string_view short_flag = {};  // "-g" or empty
  std::string_view flag_value = {};  // what a flag without a value sets ("false" for --no-tty); empty: it takes one
  std::string_view value_name = {};  // for usage lines and the man page: "DIR"
  std::string_view choices = {};     // "always|on-failure|never"
  std::string_view overrules = {};  // a key that says something about the same: no default of it stands beside this one
  long long min = 0;
  long long max = 0;
  std::string_view default_text = {};  // as it would be written in the conf; empty: none, or taken from the caller
  std::string_view help = {};
};

// In the order in which a conf is written.
std::span<const Option> option_table();
// nullptr: no such key.
const Option* find_option(std::string_view key);
// The key that was probably meant, or empty.
std::string nearest_option(std::string_view key);

// Whether `text` is a value of this option. An error says why not, its hint what is allowed; it is ErrorKind::usage.
Status check_value(const Option& option, std::string_view text);

// As git reads them: true yes on 1 (and other numbers), false no off 0 and the empty text, in any case.
std::optional<bool> parse_boolean(std::string_view text);
// Octal, at most 0777.
std::optional<int> parse_umask(std::string_view text);
// The place of `text` among the choices "a|b|c".
std::optional<std::size_t> choice_index(std::string_view choices, std::string_view text);

}  // namespace usvc
