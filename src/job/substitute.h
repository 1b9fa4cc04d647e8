// ~TOKEN in arguments and hooks, replaced anew at each start.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace usvc {

// What the tokens stand for. Before the first run everything about the last one is zero.
struct Facts {
  int exit_status = 0;  // of the run before, as in a shell's $?
  std::string job_name;
  std::string hostname;
  Duration run_length{};  // of the run before; written in whole seconds, so that a shell can count with it
  int deaths = 0;
};

// An argument is replaced when the whole of it is a token; anything else is the job's own business.
std::string substitute_argument(std::string_view argument, const Facts& facts);
// In a hook tokens are replaced anywhere, unless a letter or '_' makes them part of a longer word.
std::string substitute_hook(std::string_view hook, const Facts& facts);

}  // namespace usvc
