// Says what became of each job a command acted on.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/context.h"
#include "shapes/requests.h"

namespace usvc {

struct Verb {
  std::string_view plain;  // "start"
  std::string_view done;   // "started"
};

// A line for each job that went well on stdout (one for all of them when they are many), an error for each that did
// not on stderr, with its last output; one for all that failed alike. With --json the reply itself. Returns the exit
// status: 1 when one failed.
Result<int> report(const Context& context, const OutcomesReply& reply, Verb verb);

// "web-1 started, pid 4242"; "web-1 stopped: had to be killed".
std::string success_line(const Outcome& outcome, Verb verb);

}  // namespace usvc
