// The states of a job's life, as everybody names them. What happens in each is job/step.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace usvc {

// Which of a run's processes: the program or one of its hooks.
enum class Phase { pre, main, post };

enum class JobState { stopped, starting, pre_run, running, dead, post_run, waiting, stopping, invalid };

inline constexpr std::array<JobState, 9> all_job_states = {JobState::stopped, JobState::starting, JobState::pre_run,
                                                           JobState::running, JobState::dead,     JobState::post_run,
                                                           JobState::waiting, JobState::stopping, JobState::invalid};

constexpr std::string_view to_string(JobState state) {
  switch (state) {  // no default: a new state does not compile until it has a name here
    case JobState::stopped:
      return "stopped";
    case JobState::starting:
      return "starting";
    case JobState::pre_run:
      return "pre-run";
    case JobState::running:
      return "running";
    case JobState::dead:
      return "dead";
    case JobState::post_run:
      return "post-run";
    case JobState::waiting:
      return "waiting";
    case JobState::stopping:
      return "stopping";
    case JobState::invalid:
      return "invalid";
  }
  return "invalid";
}

constexpr std::optional<JobState> job_state_from(std::string_view text) {
  for (const JobState state : all_job_states) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

// Whether something of the job runs, or is about to: what the selector `live` means. A job whose run is over (dead) or
// that waits for its next one is not.
constexpr bool is_live(JobState state) {
  switch (state) {
    case JobState::starting:
    case JobState::pre_run:
    case JobState::running:
    case JobState::post_run:
    case JobState::stopping:
      return true;
    case JobState::stopped:
    case JobState::dead:
    case JobState::waiting:
    case JobState::invalid:
      return false;
  }
  return false;
}

}  // namespace usvc
