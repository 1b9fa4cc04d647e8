// What a command or an observation means to a job in each state: one total function, without memory or side effect.
// The life cycle (manager/life) is the sequence; it asks here, enters the state it is told, and does the action.
//
//     starting → pre-run → running → dead → post-run → waiting → starting …        stopping → dead → stopped
#pragma once

#include <array>
#include <string_view>

#include "job/state.h"

namespace usvc {

enum class JobEvent {
  // commands
  start,
  stop,
  restart,
  // observations: only what has been seen, never what has been asked for
  hook_begun,   // the pre- or post-run hook is running
  hook_passed,  // the pre-run hook ended well
  begun,        // the program has been executed
  exited,       // the process that mattered is gone; also: it never came to be
  deadline,     // the time this state was given is up
  broken,       // the conf can't be used
  // what is to come once a run is over (swept, drained, on disk), by job/verdict
  again_now,
  again_later,
  finished,
};
inline constexpr std::array all_job_events = {
    JobEvent::start,       JobEvent::stop,      JobEvent::restart,     JobEvent::hook_begun,
    JobEvent::hook_passed, JobEvent::begun,     JobEvent::exited,      JobEvent::deadline,
    JobEvent::broken,      JobEvent::again_now, JobEvent::again_later, JobEvent::finished,
};

enum class JobAction {
  none,
  begin,      // the first steps of a new run
  send_stop,  // the stop signal, and a deadline
  send_kill,  // SIGKILL to everything
  bury,       // sweep the tree, drain the output, see what is to come
};

struct Step {
  JobState next;
  JobAction action = JobAction::none;
  friend bool operator==(const Step&, const Step&) = default;
};

constexpr std::string_view to_string(JobEvent event) {
  switch (event) {
    case JobEvent::start:
      return "start";
    case JobEvent::stop:
      return "stop";
    case JobEvent::restart:
      return "restart";
    case JobEvent::hook_begun:
      return "hook-begun";
    case JobEvent::hook_passed:
      return "hook-passed";
    case JobEvent::begun:
      return "begun";
    case JobEvent::exited:
      return "exited";
    case JobEvent::deadline:
      return "deadline";
    case JobEvent::broken:
      return "broken";
    case JobEvent::again_now:
      return "again-now";
    case JobEvent::again_later:
      return "again-later";
    case JobEvent::finished:
      return "finished";
  }
  return "?";
}

constexpr std::string_view to_string(JobAction action) {
  switch (action) {
    case JobAction::none:
      return "none";
    case JobAction::begin:
      return "begin";
    case JobAction::send_stop:
      return "send-stop";
    case JobAction::send_kill:
      return "send-kill";
    case JobAction::bury:
      return "bury";
  }
  return "?";
}

namespace detail {

// No run is under way.
constexpr Step at_rest(JobState state, JobEvent event) {
  if (event == JobEvent::start || event == JobEvent::restart) return {JobState::starting, JobAction::begin};
  if (event == JobEvent::stop && state == JobState::invalid) return {state};  // still so when it is not wanted
  if (event == JobEvent::stop || event == JobEvent::finished) return {JobState::stopped};
  if (event == JobEvent::broken) return {JobState::invalid};
  if (event == JobEvent::deadline && state == JobState::waiting) return {JobState::starting, JobAction::begin};
  return {state};
}

// A process of the job's is alive, or about to be.
constexpr Step at_work(JobState state, JobEvent event) {
  if (event == JobEvent::stop || event == JobEvent::restart) return {JobState::stopping, JobAction::send_stop};
  if (event == JobEvent::exited) return {JobState::dead, JobAction::bury};
  return {state};
}

}  // namespace detail

constexpr Step step(JobState state, JobEvent event) {
  switch (state) {  // no default: a new state does not compile until it has an answer here
    case JobState::stopped:
    case JobState::invalid:
    case JobState::waiting:
      return detail::at_rest(state, event);
    case JobState::starting:
      if (event == JobEvent::hook_begun) return {JobState::pre_run};
      if (event == JobEvent::begun) return {JobState::running};
      if (event == JobEvent::broken) return {JobState::invalid};
      if (event == JobEvent::restart) return {state};  // it is being started already
      return detail::at_work(state, event);
    case JobState::pre_run:
      if (event == JobEvent::hook_passed) return {JobState::starting};
      return detail::at_work(state, event);
    case JobState::running:
      return detail::at_work(state, event);
    case JobState::stopping:
      if (event == JobEvent::exited) return {JobState::dead, JobAction::bury};
      if (event == JobEvent::deadline) return {state, JobAction::send_kill};
      return {state};
    case JobState::dead:
      if (event == JobEvent::hook_begun) return {JobState::post_run};
      if (event == JobEvent::again_now) return {JobState::starting, JobAction::begin};
      if (event == JobEvent::again_later) return {JobState::waiting};
      if (event == JobEvent::finished) return {JobState::stopped};
      return {state};  // commands change what is wanted, and that is asked when the run is over
    case JobState::post_run:
      if (event == JobEvent::exited) return {JobState::dead};
      if (event == JobEvent::deadline) return {state, JobAction::send_kill};
      return {state};
  }
  return {state};
}

}  // namespace usvc
