// usvc init --foreground: a process that stands for the instance as long as it runs, for whoever wants one to watch: a
// systemd unit, or a container, of which it may be PID 1.
//
// It holds nothing: killed, it takes nothing with it, and the next one finds the instance at work. It is quiet; what
// the instance has to complain about it passes on to stderr. Orphans of the container that become its children are
// reaped.
//
//   SIGTERM, SIGINT, SIGQUIT   shuts the instance down; as a unit that is being restarted it only leaves
//   somebody's shutdown        it ends as well
//   both processes killed      starts the instance again
#pragma once

#include "base/error.h"
#include "cli/context.h"

namespace usvc {

// Until the instance has ended: 0 when all went well, 1 when a job did not stop as it should.
Result<int> stay_in_foreground(Context& context);

}  // namespace usvc
