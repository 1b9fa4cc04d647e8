// Names of jobs and groups. They become file names and words on the command line, so the rules are strict.
#pragma once

#include <array>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"

namespace usvc {

inline constexpr std::size_t longest_name = 64;
// Words that mean something else on the command line.
inline constexpr std::array<std::string_view, 5> reserved_names = {"usvc", "group", "all", "live", "dead"};

bool is_reserved(std::string_view name);
// Letters, digits, '.', '-', '_'; at most 64; not beginning with '-' or '.'; not reserved. Errors are ErrorKind::usage.
Status check_job_name(std::string_view name);
Status check_group_name(std::string_view group);

// Of a variable: "K=V" with a name before the '=', and no NUL byte. Errors are ErrorKind::usage.
Status check_assignment(std::string_view text);

// The group of a job that was given none: the command's base name, made to fit. Always a good group name, and short
// enough for a number behind it.
std::string group_from_command(std::string_view command);

// "GROUP-N".
std::string member_name(std::string_view group, int number);
// The lowest N from 1 for which GROUP-N is not among `names`.
int lowest_free(std::string_view group, const std::set<std::string, std::less<>>& names);

}  // namespace usvc
