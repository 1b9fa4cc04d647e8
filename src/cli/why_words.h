// The paragraph of `why`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shapes/event.h"
#include "shapes/views.h"

namespace usvc {

// What is known of a job besides its view.
struct Background {
  double now = 0;  // unix time
  bool instance_runs = false;
  std::optional<Event> stopped;          // the last "stopping" or "stopped" in the journal, if nothing came after it
  std::optional<Event> last_error;       // the last "error" in the journal since the last run began
  std::vector<std::string> last_output;  // the last lines that the last run wrote
};

// The sentences before what the job last printed: the state it is in and how it got there.
std::string why_state(const JobView& job, const Background& background);
// The sentence after it: what happens next.
std::string why_next(const JobView& job, const Background& background);
// All of it, with the last output between the two.
std::string why_text(const JobView& job, const Background& background);

}  // namespace usvc
