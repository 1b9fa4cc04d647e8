// What the keeper's files share and no one else needs.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>

#include <string>

namespace usvc::keeper {

// For the instance log, which is the keeper's stderr; the manager writes there too, so one write a line.
void note(const std::string& text);

// waitid(2) as the kernel has it: with the child's rusage, also under WNOWAIT.
int wait_id(idtype_t type, id_t id, siginfo_t& info, int options, rusage* usage);

}  // namespace usvc::keeper
