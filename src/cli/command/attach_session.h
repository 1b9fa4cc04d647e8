// `usvc attach` without a job: the instance's tmux session.
#pragma once

#include <string>

#include "cli/context.h"

namespace usvc {

enum class Typing { allowed, read_only };

// Opens the session, or a window in the tmux this runs in; becomes tmux, and returns only where that is not needed.
Result<int> attach_session(const Context& context, Typing typing);

// In the console of that session: the window of this job. False: this is not in such a session.
Result<bool> show_job_window(const Context& context, const std::string& job);

// In a window of that session: whoever typed last sees it no more, and its windows stay. False: this is not in one.
Result<bool> leave_session(const Context& context);

// Ends the instance's tmux, if there is one.
Status end_session(const Layout& layout);

}  // namespace usvc
