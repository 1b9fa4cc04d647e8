// Listening on and connecting to a unix socket by path, also where the path is longer than sun_path allows.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

// Replaces what lies at `path` (the caller holds the instance's lock), mode 0600, non-blocking.
Result<Fd> listen_unix(const std::string& path, int backlog);
// Blocking, O_CLOEXEC. code() is ENOENT or ECONNREFUSED when nobody listens.
Result<Fd> connect_unix(const std::string& path);
// Who is at the other end.
std::optional<uid_t> peer_uid(FdRef socket);

}  // namespace usvc
