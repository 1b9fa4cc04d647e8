// What the client sees by itself of jobs and machine, so that looking never stalls the manager.
#pragma once

#include <string>
#include <vector>

#include "proc/tree.h"
#include "shapes/views.h"

namespace usvc {

HostView observe_host();
// The processes of one moment. With many it takes about as long as the manager's answer does, so that it is worth
// reading them meanwhile.
struct SeenProcesses {
  Snapshot snapshot;
  double at = 0;  // seconds since boot
  static SeenProcesses now();
};
// Fills cpu_percent, mem_bytes, kernel_state and md5_changed. A job whose pid is another process by now keeps none.
void observe_jobs(std::vector<JobView>& jobs);
// The same with processes that were seen before, unless a job has begun since.
void observe_jobs(std::vector<JobView>& jobs, SeenProcesses seen);

// Whether the file that was started is another by now.
bool binary_changed(const BinaryView& binary);
// The kernel's word for what a process does.
std::string process_state_words(const Snapshot::Process& process);

}  // namespace usvc
