// After a run's main process has ended: nothing else of its tree may stay.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>

#include "manager/instance.h"
#include "manager/job.h"

namespace usvc {

// Ends what is left of the job's run: its stop signal first, SIGKILL from `kill_at` on (now or past: at once). How the
// tree is known, best first: its cgroup; what became the keeper's when the main process died and bears a mark of the
// run; after the keeper itself was lost, whatever process bears one. Returns how many had to be ended.
asio::awaitable<std::size_t> sweep(Instance* instance, std::shared_ptr<Job> job, Wakeup::Clock::time_point kill_at);

// Of the run that the journal knows of and no keeper holds any more (both were killed, or the machine was booted anew):
// the same by its marks and, unless its end is in the journal, its process's identity; SIGKILL after the stop timeout.
asio::awaitable<std::size_t> sweep_lost(Instance* instance, std::shared_ptr<Job> job);

// The job's process as the journal knows it, where it is still alive.
std::optional<pid_t> survivor_of(const JobRecord& record);

// Without an instance: fails where the job's process, as the journal knows it, has outlived keeper and manager.
Status no_survivor(Instance& instance, const Job& job);

// For tree = subreaper: what descends from the main process now, while that is exact.
void note_tree(Run& run);

}  // namespace usvc
