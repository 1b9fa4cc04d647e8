#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "job/step.h"

namespace usvc {
namespace {

using State = JobState;
using In = JobEvent;
using Do = JobAction;

// The whole table, one row a state, in the order of all_job_events: what must come of each event. Rows are written out
// so that a change of the function shows here as the change of behaviour it is.
using Row = std::map<In, Step>;

const std::map<State, Row>& expected_changes() {
  const Step begin{State::starting, Do::begin};
  const Step stop{State::stopping, Do::send_stop};
  const Step bury{State::dead, Do::bury};
  const Step stopped{State::stopped};
  const Row rest = {{In::start, begin},
                    {In::restart, begin},
                    {In::stop, stopped},
                    {In::finished, stopped},
                    {In::broken, {State::invalid}}};
  static const std::map<State, Row> table = {
      {State::stopped, rest},
      {State::invalid,
       [&] {
         Row row = rest;
         row[In::stop] = {State::invalid};
         return row;
       }()},
      {State::waiting,
       {{In::start, begin},
        {In::restart, begin},
        {In::stop, stopped},
        {In::finished, stopped},
        {In::broken, {State::invalid}},
        {In::deadline, begin}}},
      {State::starting,
       {{In::stop, stop},
        {In::hook_begun, {State::pre_run}},
        {In::begun, {State::running}},
        {In::exited, bury},
        {In::broken, {State::invalid}}}},
      {State::pre_run,
       {{In::stop, stop}, {In::restart, stop}, {In::hook_passed, {State::starting}}, {In::exited, bury}}},
      {State::running, {{In::stop, stop}, {In::restart, stop}, {In::exited, bury}}},
      {State::stopping, {{In::exited, bury}, {In::deadline, {State::stopping, Do::send_kill}}}},
      {State::dead,
       {{In::hook_begun, {State::post_run}},
        {In::again_now, begin},
        {In::again_later, {State::waiting}},
        {In::finished, stopped}}},
      {State::post_run, {{In::exited, {State::dead}}, {In::deadline, {State::post_run, Do::send_kill}}}},
  };
  return table;
}

TEST(Step, EveryPairOfStateAndEventHasItsAnswer) {
  for (const State state : all_job_states) {
    const Row& row = expected_changes().at(state);
    for (const In event : all_job_events) {
      const auto change = row.find(event);
      const Step expected = change == row.end() ? Step{state} : change->second;
      EXPECT_EQ(step(state, event), expected) << to_string(state) << " + " << to_string(event);
    }
  }
}

TEST(Step, KillIsOnlySentToWhatHasBeenGivenTime) {
  for (const State state : all_job_states) {
    for (const In event : all_job_events) {
      const bool kills = step(state, event).action == Do::send_kill;
      EXPECT_TRUE(!kills || event == In::deadline) << to_string(state) << " + " << to_string(event);
    }
  }
}

TEST(Step, NothingLeavesTheGraveButThroughTheVerdict) {
  for (const In command : {In::start, In::stop, In::restart}) {
    EXPECT_EQ(step(State::dead, command), Step{State::dead}) << to_string(command);
  }
}

TEST(Step, EveryStateCanBeReachedAndLeft) {
  std::set<State> reached = {State::stopped};
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const State state : std::vector<State>(reached.begin(), reached.end())) {
      for (const In event : all_job_events) reached.insert(step(state, event).next);
    }
  }
  EXPECT_EQ(reached.size(), all_job_states.size());
  for (const State state : all_job_states) {
    bool leaves = false;
    for (const In event : all_job_events) leaves |= step(state, event).next != state;
    EXPECT_TRUE(leaves) << to_string(state);
  }
}

TEST(Step, NamesAreAllDifferent) {
  std::set<std::string> names;
  for (const In event : all_job_events) names.emplace(to_string(event));
  EXPECT_EQ(names.size(), all_job_events.size());
}

}  // namespace
}  // namespace usvc
