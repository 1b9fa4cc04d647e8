// What the client sees by itself of jobs and machine, so that looking never stalls the manager.
#pragma once

#include <string>
#include <vector>

#include "proc/tree.h"
#include "shapes/views.h"

namespace usvc {

HostView observe_host();
// Fills cpu_percent, mem_bytes, kernel_state and md5_changed. A job whose pid is another process by now keeps none.
void observe_jobs(std::vector<JobView>& jobs);

// Whether the file that was started is another by now.
bool binary_changed(const BinaryView& binary);
// The kernel's word for what a process does.
std::string process_state_words(const Snapshot::Process& process);

}  // namespace usvc
