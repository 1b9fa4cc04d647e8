// Whether an instance runs, and starting one.
#pragma once

#include <string>

#include "base/error.h"
#include "base/time.h"
#include "cli/context.h"

namespace usvc {

// Somebody holds the instance's lock: keeper or manager live, even while the socket does not answer.
bool instance_runs(const Layout& layout);

// PREFIX/libexec/usvc, beside the directory this program runs from.
Result<std::string> helper_directory();
// A program in it, which must be there.
Result<std::string> helper_program(const std::string& name);

// Starts the instance and returns when it answers; one that runs already is fine. Errors are ErrorKind::unreachable.
Status start_instance(const Context& context);

// Why an instance that runs does not answer: where its keeper's last word is that the manager ended, what that manager
// said; else `error`. With the log to look into.
Error explain_silence(Error error, const Layout& layout);

// Where its files are when it was begun with another XDG_RUNTIME_DIR, or none (by cron, at boot): its socket is then in
// one of the other places. `layout` itself when it does not run, or runs there.
Layout layout_of_running(Layout layout);

// After a shutdown, until its last process is gone.
Status await_instance_end(const Layout& layout);

// Returns when the socket may answer again, or after `longest`.
void await_socket(const Layout& layout, Duration longest);

}  // namespace usvc
