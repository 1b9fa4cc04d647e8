// How a run ended, for people: "exit 3 after 2 s".
#pragma once

#include <string>

#include "base/time.h"
#include "job/exit_status.h"
#include "shapes/views.h"

namespace usvc {

inline std::string exit_text(const ExitView& exit) {
  if (exit.reason && !exit.code && !exit.signal) return *exit.reason;  // there was nothing that could run
  const std::string text = exit.reason   ? *exit.reason
                           : exit.signal ? killed_by(*exit.signal, exit.core, exit.oom.value_or(false))
                           : exit.code   ? "exit " + std::to_string(*exit.code)
                                         : "ended, nobody knows how";
  return text + " after " + seconds_words(exit.ran);
}

}  // namespace usvc
