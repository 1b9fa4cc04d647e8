// What the client sees by itself of jobs and machine, so that looking never stalls the manager.
#pragma once

#include <vector>

#include "shapes/views.h"

namespace usvc {

HostView observe_host();
// Fills cpu_percent, mem_bytes, kernel_state and md5_changed. A job whose pid is another process by now keeps none.
void observe_jobs(std::vector<JobView>& jobs);

}  // namespace usvc
