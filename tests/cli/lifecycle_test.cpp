// What happens when a job ends: it comes back, how fast, and when not.
#include <csignal>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class LifecycleTest : public CliTest {
 protected:
  // A job that runs until told, and from then on ends as `modes` say each time it is started.
  void start_then_end(const std::string& name, const Args& options, const Args& modes) {
    Args args{"--name", name};
    args.insert(args.end(), options.begin(), options.end());
    args.insert(args.end(), {"--", probe(), "count-file", path("starts"), "--", "wait-file", path("go"), "--"});
    args.insert(args.end(), modes.begin(), modes.end());
    start(args);
    write("go", "");
  }
  std::size_t starts() const { return count_of(read(path("starts")), " start\n"); }
};

TEST_F(LifecycleTest, KilledJobComesBackAndItsDeathIsCounted) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t first = pid_of("web");
  kill_hard(first);
  ASSERT_GT(wait_new_pid("web", first), 0);
  const Job job = status("web");
  EXPECT_EQ(job.deaths, 1);
  EXPECT_EQ(job.exit_signal, "KILL");
  EXPECT_TRUE(contains(ok({"events", "web"}).out, "KILL")) << ok({"events", "web"}).out;
  EXPECT_TRUE(contains(ok({"why", "web"}).out, "KILL")) << ok({"why", "web"}).out;
  EXPECT_TRUE(contains(journal_names("web"), "starting running exited starting running")) << journal_names("web");
}

TEST_F(LifecycleTest, EverySignalIsToldByItsName) {
  start({"--name", "web", "--restart", "never", "--", probe(), "serve"});
  for (const char* name : {"HUP", "INT", "QUIT", "ILL", "ABRT", "BUS", "FPE", "SEGV", "PIPE", "ALRM", "USR1", "TERM"}) {
    ok({"signal", "web", name});
    ASSERT_TRUE(wait_state("web", "stopped"));
    EXPECT_EQ(status("web").exit_signal, name);
    start({"web"});
  }
  EXPECT_EQ(status("web").deaths, 12);
}

TEST_F(LifecycleTest, JobThatKeepsDyingYoungIsThrottledWithACountdown) {
  start_then_end("bad", {}, {"exit", "1"});
  ASSERT_TRUE(wait_state("bad", "waiting"));
  const Job job = status("bad");
  EXPECT_GE(job.deaths, 2) << "the first crash is followed by a restart at once";
  EXPECT_TRUE(job.wanted);
  const double until = number_of(job.raw, "waiting_until").value_or(0);
  const double ended = number_of(job.raw.at("last_exit").as_object(), "at").value_or(0);
  EXPECT_GT(until, ended);
  EXPECT_LE(until, ended + 301);
  EXPECT_TRUE(contains(ok({"status"}).out, "waiting ")) << ok({"status"}).out;
  // It is tried again by itself.
  EXPECT_TRUE(wait_until(30s, [&] { return status("bad").deaths > job.deaths; })) << status("bad");
  EXPECT_EQ(events_of("bad", "exited").size(), static_cast<std::size_t>(status("bad").deaths));
}

TEST_F(LifecycleTest, StartByHandEndsTheWaiting) {
  start_then_end("bad", {}, {"exit", "1"});
  ASSERT_TRUE(wait_state("bad", "waiting"));
  const auto before = status("bad").runs;
  run({"start", "bad"});
  EXPECT_TRUE(wait_until(10s, [&] { return status("bad").runs > before; })) << status("bad");
}

TEST_F(LifecycleTest, WithoutRunawayProtectionItIsTriedAtOnceForEver) {
  start_then_end("bad", {"--no-runaway-protect"}, {"exit", "1"});
  EXPECT_TRUE(wait_until(20s, [&] { return starts() > 20; })) << starts();
  // Short pauses keep even this loop from taking a whole core.
  for (const auto& waiting : events_of("bad", "waiting")) {
    EXPECT_LE(waiting.at("until").to_number<double>() - waiting.at("t").to_number<double>(), 0.1);
  }
}

TEST_F(LifecycleTest, CrashesThatEndAreOver) {
  run({"start", "--name", "web", "--", probe(), "crash-first", "2", path("count"), "--", "serve"});
  EXPECT_TRUE(wait_until(20s, [&] {
    const Job job = status("web");
    return job.state == "running" && job.deaths == 2 && job.runs == 3;
  })) << status("web");
}

struct Policy {
  const char* name;
  Args options;
  Args end;
  bool comes_back;
  int deaths;  // after the first end
};
void PrintTo(const Policy& policy, std::ostream* stream) {
  *stream << policy.name;
}

class RestartPolicyTest : public LifecycleTest, public testing::WithParamInterface<Policy> {};

TEST_P(RestartPolicyTest, DecidesWhetherItComesBack) {
  const Policy& policy = GetParam();
  start_then_end("job", policy.options, policy.end);
  if (policy.comes_back) {
    EXPECT_TRUE(wait_until(10s, [&] { return starts() >= 2; }));
    EXPECT_TRUE(status("job").wanted);
    EXPECT_GE(status("job").deaths, policy.deaths);
  } else {
    ASSERT_TRUE(wait_state("job", "stopped"));
    const Job job = status("job");
    EXPECT_EQ(job.runs, 1);
    EXPECT_EQ(job.deaths, policy.deaths);
    EXPECT_FALSE(job.wanted);
    EXPECT_EQ(starts(), 1U);
  }
}

const Policy policies[] = {
    {"always_exit_0", {"--restart", "always"}, {"exit", "0"}, true, 0},
    {"always_exit_1", {"--restart", "always"}, {"exit", "1"}, true, 1},
    {"on_failure_exit_0", {"--restart", "on-failure"}, {"exit", "0"}, false, 0},
    {"on_failure_exit_1", {"--restart", "on-failure"}, {"exit", "1"}, true, 1},
    {"on_failure_killed", {"--restart", "on-failure"}, {"crash", "SEGV"}, true, 1},
    {"never_exit_0", {"--restart", "never"}, {"exit", "0"}, false, 0},
    {"never_exit_1", {"--restart", "never"}, {"exit", "1"}, false, 1},
    {"never_killed", {"--restart", "never"}, {"crash", "KILL"}, false, 1},
    {"once_exit_0", {"--once"}, {"exit", "0"}, false, 0},
    {"once_exit_1", {"--once"}, {"exit", "1"}, false, 1},
};
INSTANTIATE_TEST_SUITE_P(All, RestartPolicyTest, testing::ValuesIn(policies),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_F(LifecycleTest, ExitWithZeroIsNoDeath) {
  start_then_end("job", {}, {"exit", "0"});
  ASSERT_TRUE(wait_until(10s, [&] { return starts() >= 2; }));
  EXPECT_EQ(status("job").deaths, 0);
}

TEST_F(LifecycleTest, EveryExitIsRecordedOnceWithItsCode) {
  start_then_end("job", {"--once"}, {"exit", "77"});
  ASSERT_TRUE(wait_state("job", "stopped"));
  const auto exits = events_of("job", "exited");
  ASSERT_EQ(exits.size(), 1U);
  EXPECT_EQ(number_of(exits[0], "code"), 77);
}

TEST_F(LifecycleTest, RunIsOverOnlyWhenItsOutputIsDrained) {
  run({"start", "--name", "job", "-1", "--", probe(), "flood", "300000", "100", "--", "exit", "5"});
  ok({"wait", "job", "--for", "stopped", "--timeout", "20s"});
  EXPECT_EQ(log_text("job").size(), 300000U);
}

}  // namespace

}  // namespace usvc::test
