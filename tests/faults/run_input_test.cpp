// What a job of `usvc run` is to read is not lost by any kill of the manager or the keeper.
#include "faults/fixture.h"

namespace usvc::test {

namespace {

class RunInputTest : public FaultTest, public testing::WithParamInterface<const char*> {};

TEST_P(RunInputTest, OutlivesWhoeverHeldIt) {
  start({"--name", "other", "--", probe(), "serve"});
  arm(GetParam());
  const auto client = launch_program({"/bin/sh", "-c", "echo input | '" + program() + "' run -- cat"});
  const pid_t stopped = stopped_at(GetParam());
  ASSERT_GT(stopped, 0);
  kill_hard(stopped);
  const Output output = client->finish(40s);
  EXPECT_EQ(output.status, 0) << output;
  EXPECT_EQ(output.out, "input\n") << output;
}

INSTANTIATE_TEST_SUITE_P(AtPoint, RunInputTest,
                         testing::Values("manager.start-wanted", "manager.conf-written", "manager.spawn",
                                         "keeper.spawn-received", "keeper.forked", "manager.spawned",
                                         "manager.spawn-recorded", "manager.let-go", "manager.running",
                                         "manager.answer"),
                         [](const auto& given) {
                           std::string name = given.param;
                           for (char& c : name) {
                             if (c == '.' || c == '-') c = '_';
                           }
                           return name;
                         });

}  // namespace

}  // namespace usvc::test
