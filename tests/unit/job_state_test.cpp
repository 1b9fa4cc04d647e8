#include <gtest/gtest.h>

#include <set>
#include <string>

#include "job/state.h"

namespace usvc {
namespace {

TEST(JobState, EveryNameIsReadBack) {
  std::set<std::string_view> names;
  for (const JobState state : all_job_states) {
    names.insert(to_string(state));
    EXPECT_EQ(job_state_from(to_string(state)), state);
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"stopped", "starting", "pre-run", "running", "dead", "post-run",
                                               "waiting", "stopping", "invalid"}));
}

TEST(JobState, OtherWordsAreNoStates) {
  for (const char* text : {"", "Running", "pre_run", "running ", "asleep"}) EXPECT_FALSE(job_state_from(text)) << text;
}

TEST(JobState, LiveIsWhatRunsOrIsAboutTo) {
  const std::set<JobState> live = {JobState::starting, JobState::pre_run, JobState::running, JobState::post_run,
                                   JobState::stopping};
  for (const JobState state : all_job_states) EXPECT_EQ(is_live(state), live.contains(state)) << to_string(state);
}

}  // namespace
}  // namespace usvc
