// The options that `start` and `run` share, and the request they make.
#pragma once

#include <vector>

#include "base/error.h"
#include "cli/command.h"
#include "shapes/requests.h"

namespace usvc {

// The rows of the option table that have a flag.
std::vector<Flag> job_flags();
// -e and --env-file.
std::vector<Flag> environment_flags();

// The job that the options and CMD describe, with what it takes over from the caller. The command is looked up and
// every value checked; errors are ErrorKind::usage where the caller asked for nonsense.
Result<StartRequest> start_request(const Arguments& arguments);

}  // namespace usvc
