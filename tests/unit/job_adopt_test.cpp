#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "job/adopt.h"

namespace usvc {
namespace {

using State = JobState;

constexpr std::array all_phases = {Phase::pre, Phase::main, Phase::post};

// Every tuple, written out: live program, ended program, live hook before, ended hook before, live hook after, ended
// hook after, in the journal's states in the order of all_job_states.
TEST(Adopt, EveryProcessInEveryState) {
  const std::map<std::string, std::vector<Resume>> expected = {
      // stopped starting pre-run running dead post-run waiting stopping invalid
      {"main alive",
       {Resume::recover, Resume::follow, Resume::follow, Resume::follow, Resume::recover, Resume::recover,
        Resume::recover, Resume::follow, Resume::recover}},
      {"main ended",
       {Resume::drain, Resume::follow, Resume::follow, Resume::follow, Resume::bury, Resume::drain, Resume::drain,
        Resume::follow, Resume::drain}},
      {"pre alive",
       {Resume::end, Resume::follow, Resume::follow, Resume::end, Resume::end, Resume::end, Resume::end, Resume::follow,
        Resume::end}},
      {"pre ended",
       {Resume::drain, Resume::follow, Resume::follow, Resume::drain, Resume::bury, Resume::drain, Resume::drain,
        Resume::follow, Resume::drain}},
      {"post alive",
       {Resume::end, Resume::end, Resume::end, Resume::end, Resume::follow, Resume::follow, Resume::end, Resume::end,
        Resume::end}},
      {"post ended",
       {Resume::drain, Resume::drain, Resume::drain, Resume::drain, Resume::follow, Resume::follow, Resume::drain,
        Resume::drain, Resume::drain}},
  };
  const std::map<Phase, std::string> names = {{Phase::pre, "pre"}, {Phase::main, "main"}, {Phase::post, "post"}};
  for (const Phase phase : all_phases) {
    for (const bool ended : {false, true}) {
      const std::string row = names.at(phase) + (ended ? " ended" : " alive");
      for (std::size_t i = 0; i < all_job_states.size(); ++i) {
        const Journaled journaled{.state = all_job_states[i], .hook_passed = false, .spawned = true};
        EXPECT_EQ(to_string(resume_with(journaled, {.phase = phase, .ended = ended})),
                  to_string(expected.at(row).at(i)))
            << row << " in " << to_string(all_job_states[i]);
      }
    }
  }
}

TEST(Adopt, APassedHookIsNotRunAgain) {
  const Journaled passed{.state = State::starting, .hook_passed = true, .spawned = false};
  EXPECT_EQ(resume_without(passed), Resume::program);
  EXPECT_EQ(resume_with(passed, {.phase = Phase::pre, .ended = true}), Resume::drain);
  EXPECT_EQ(resume_with(passed, {.phase = Phase::main, .ended = false}), Resume::follow);
  const Journaled program_over{.state = State::dead, .hook_passed = true, .spawned = true};
  EXPECT_EQ(resume_with(program_over, {.phase = Phase::pre, .ended = true}), Resume::drain);
  EXPECT_EQ(resume_without({.state = State::starting, .hook_passed = false, .spawned = false}), Resume::begin);
}

TEST(Adopt, WithoutAProcess) {
  for (const bool spawned : {false, true}) {
    for (const State state : {State::stopped, State::waiting, State::invalid}) {
      EXPECT_EQ(resume_without({.state = state, .hook_passed = false, .spawned = spawned}), Resume::rest);
    }
    for (const State state : {State::pre_run, State::running, State::stopping}) {
      EXPECT_EQ(resume_without({.state = state, .hook_passed = false, .spawned = spawned}), Resume::lost);
    }
    EXPECT_EQ(resume_without({.state = State::post_run, .hook_passed = false, .spawned = spawned}), Resume::decide);
  }
  EXPECT_EQ(resume_without({.state = State::starting, .hook_passed = true, .spawned = true}), Resume::lost);
  EXPECT_EQ(resume_without({.state = State::dead, .hook_passed = false, .spawned = false}), Resume::epilogue);
  EXPECT_EQ(resume_without({.state = State::dead, .hook_passed = false, .spawned = true}), Resume::decide);
}

// What lives is either followed or ended, never passed over; an end that is not in the journal is never just drained.
TEST(Adopt, NothingAliveIsPassedOverAndNoEndIsLost) {
  for (const State state : all_job_states) {
    for (const bool hook_passed : {false, true}) {
      for (const bool spawned : {false, true}) {
        const Journaled journaled{.state = state, .hook_passed = hook_passed, .spawned = spawned};
        for (const Phase phase : all_phases) {
          const Resume alive = resume_with(journaled, {.phase = phase, .ended = false});
          EXPECT_TRUE(alive == Resume::follow || alive == Resume::recover || alive == Resume::end)
              << to_string(state) << " " << to_string(alive);
          if (phase == Phase::main) {
            EXPECT_NE(alive, Resume::end) << to_string(state);
          }
        }
        const bool end_recorded = state == State::dead || state == State::post_run || state == State::waiting ||
                                  state == State::stopped || state == State::invalid;
        const Resume ended = resume_with(journaled, {.phase = Phase::main, .ended = true});
        EXPECT_EQ(ended == Resume::follow, !end_recorded) << to_string(state);
      }
    }
  }
}

TEST(Adopt, ASecondProcessOfAJobIsEnded) {
  EXPECT_EQ(resume_other({.phase = Phase::main, .ended = false}, true), Resume::recover);
  EXPECT_EQ(resume_other({.phase = Phase::main, .ended = false}, false), Resume::end);
  EXPECT_EQ(resume_other({.phase = Phase::pre, .ended = false}, true), Resume::end);
  EXPECT_EQ(resume_other({.phase = Phase::main, .ended = true}, true), Resume::drain);
}

}  // namespace
}  // namespace usvc
