// How a job goes on when its manager has been replaced: one total function of what the journal says and of what the
// keeper holds, without memory or side effect. The life cycle (manager/life) enters its sequence where this says.
#pragma once

#include <string_view>

#include "job/state.h"

namespace usvc {

// What the journal says of the job's last run.
struct Journaled {
  JobState state = JobState::stopped;
  bool hook_passed = false;  // its pre-run hook has ended well
  bool spawned = false;      // a process was made for it (program or hook) whose end is not in the journal
};

// What the keeper holds for that run.
struct HeldProcess {
  Phase phase = Phase::main;
  bool ended = false;  // else it runs, or was never let go and ends by itself
};

enum class Resume {
  rest,      // nothing of the run is left
  begin,     // it never came to a process: it is begun anew, if the job is wanted
  program,   // the pre-run hook has passed: now the program
  follow,    // its process is followed to its end
  bury,      // its end is in the journal: its tree is swept, its output drained
  epilogue,  // that too, and nobody holds its output any more: what is left is swept, the post-run hook is next
  decide,    // the hook has been run: what is left is swept, what comes next is the policy's
  lost,      // gone with its keeper: what lives of it is ended, and its end recorded as unknown
  recover,   // lives, and the journal has lost it: it is entered there again, then followed
  drain,     // the run is over for the job, but some of its output is not yet in the log
  end,       // has no place in the job's life as journaled: it is ended
};

constexpr std::string_view to_string(Resume resume) {
  switch (resume) {
    case Resume::rest:
      return "rest";
    case Resume::begin:
      return "begin";
    case Resume::program:
      return "program";
    case Resume::follow:
      return "follow";
    case Resume::bury:
      return "bury";
    case Resume::epilogue:
      return "epilogue";
    case Resume::decide:
      return "decide";
    case Resume::lost:
      return "lost";
    case Resume::recover:
      return "recover";
    case Resume::drain:
      return "drain";
    case Resume::end:
      return "end";
  }
  return "?";
}

// The keeper holds nothing for the run (or only what resume_with() calls `drain` or `end`).
constexpr Resume resume_without(const Journaled& journaled) {
  switch (journaled.state) {  // no default: a new state does not compile until it has an answer here
    case JobState::stopped:
    case JobState::waiting:
    case JobState::invalid:
      return Resume::rest;
    case JobState::starting:
      if (journaled.spawned) return Resume::lost;
      return journaled.hook_passed ? Resume::program : Resume::begin;
    case JobState::pre_run:
    case JobState::running:
    case JobState::stopping:
      return Resume::lost;
    case JobState::dead:
      return journaled.spawned ? Resume::decide : Resume::epilogue;  // spawned: the hook has been
    case JobState::post_run:
      return Resume::decide;
  }
  return Resume::rest;
}

namespace detail {

constexpr Resume with_program(JobState state, bool ended) {
  switch (state) {
    case JobState::starting:
    case JobState::pre_run:
    case JobState::running:
    case JobState::stopping:
      return Resume::follow;
    case JobState::dead:
      return ended ? Resume::bury : Resume::recover;
    case JobState::post_run:
    case JobState::waiting:
    case JobState::stopped:
    case JobState::invalid:
      return ended ? Resume::drain : Resume::recover;
  }
  return Resume::recover;
}

constexpr Resume with_pre_hook(const Journaled& journaled, bool ended) {
  const Resume out_of_place = ended ? Resume::drain : Resume::end;
  switch (journaled.state) {
    case JobState::starting:
    case JobState::pre_run:
      return journaled.hook_passed ? out_of_place : Resume::follow;
    case JobState::stopping:
      return Resume::follow;
    case JobState::dead:  // of the hook, unless that has passed
      return ended && !journaled.hook_passed ? Resume::bury : out_of_place;
    case JobState::running:
    case JobState::post_run:
    case JobState::waiting:
    case JobState::stopped:
    case JobState::invalid:
      return out_of_place;
  }
  return out_of_place;
}

constexpr Resume with_post_hook(JobState state, bool ended) {
  if (state == JobState::dead || state == JobState::post_run) return Resume::follow;
  return ended ? Resume::drain : Resume::end;
}

}  // namespace detail

// The keeper holds a process of the run that the journal speaks of.
constexpr Resume resume_with(const Journaled& journaled, const HeldProcess& held) {
  switch (held.phase) {
    case Phase::pre:
      return detail::with_pre_hook(journaled, held.ended);
    case Phase::main:
      return detail::with_program(journaled.state, held.ended);
    case Phase::post:
      return detail::with_post_hook(journaled.state, held.ended);
  }
  return Resume::end;
}

// The keeper holds a process of another run of the job; `first`: no process of the job's has been taken up yet.
constexpr Resume resume_other(const HeldProcess& held, bool first) {
  if (held.ended) return Resume::drain;
  return held.phase == Phase::main && first ? Resume::recover : Resume::end;
}

}  // namespace usvc
