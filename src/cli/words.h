// What happened, in words for people.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shapes/event.h"
#include "shapes/views.h"

namespace usvc {

// "exit 1", "killed by SEGV (core dumped)", "the pre-run hook failed: exit 1", "not started: WHY", "exit status
// unknown".
std::string exit_words(const ExitView& exit);
// What a shell would have in $?: the code, 128+N for signal N, 126 (not started), 125 (unknown).
int shell_status(const ExitView& exit);
// Why the job needs a look, or empty: "exit 1, 7 times in 2m", "killed by SEGV (core dumped)", "log: No space left".
std::string trouble_words(const JobView& job, double now);
// The status column: the kernel's word for a running job, "waiting 9s", else the state.
std::string status_words(const JobView& job, double now);

// What an event says behind its time and job: "exited: killed by KILL after 3.2 s, CPU 0.1 s, peak 12M".
std::string event_words(const Event& event);
// One line of `events`: local time, job, words.
std::string event_line_for_people(const Event& event, std::size_t name_width);

}  // namespace usvc
