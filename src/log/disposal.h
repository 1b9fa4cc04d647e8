// Which files may be renamed, compressed or removed as a log's. A log may be anywhere, beside files that are somebody
// else's and under a name that was there before: what can't be told to be a job's own output stays as it is.
#pragma once

#include <string>

#include "base/error.h"
#include "job/layout.h"
#include "log/files.h"

namespace usvc {

// Of this very name: no symbolic link.
bool is_plain_file(const std::string& path);

// Whether the file is a plain one and usvc's: it lies where usvc keeps its logs, or its index says that a job wrote it.
bool is_own_log(const Layout& layout, const LogFile& file);

// Whether there is an index here, as a job's log has one beside it; not some file of that name.
bool is_log_index(const std::string& path);

// Refuses what exists and is no plain file, or no link to one: a log is written at its end, read back and renamed.
Status check_log_place(const std::string& path);
// Refuses a symbolic link. A log that is one all the same is written, and grows without end.
Status check_log_rotates(const std::string& path);
// Refuses a log beside which something else has the name of its index.
Status check_index_place(const std::string& log);

}  // namespace usvc
