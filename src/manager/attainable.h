// What a conf asks for and this machine, or this user, does not give. A job takes the niceness and the limits of the
// shell it is started from as far as they can be had; what somebody has asked for by name is refused, or told.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "job/conf.h"
#include "job/limits.h"

namespace usvc {

class Instance;

// Of the conf's values the one that this entry has set (or the later one of the same limit).
Status check_attainable(const Conf& conf, std::string_view key, std::string_view value);

// A log tells of one job: whose are what a run wrote, and when, could not be told otherwise. `log` of the jobs of these
// names; empty: each has its own.
Status check_log_is_own(const Instance& instance, const std::string& log, const std::vector<std::string>& names);

// What a job has of whom no limits are told: the instance's, which raises its own of open files.
std::vector<Limit> inherited_limits();

// Why it can't have its niceness or one of its limits; for one that begins all the same. What it had `before` is not
// told again: it may be the shell's.
std::vector<std::string> unattainable(const Conf& conf, const Conf* before = nullptr);

}  // namespace usvc
