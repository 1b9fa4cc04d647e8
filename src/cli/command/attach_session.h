// `usvc attach` without a job: the instance's tmux session.
#pragma once

#include "cli/context.h"

namespace usvc {

enum class Typing { allowed, read_only };

// Opens the session, or a window in the tmux this runs in; becomes tmux, and returns only where that is not needed.
Result<int> attach_session(const Context& context, Typing typing);

// Ends the instance's tmux, if there is one.
Status end_session(const Layout& layout);

}  // namespace usvc
