#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "cli/table.h"
#include "cli/top/meter.h"
#include "cli/words.h"
#include "job/selector.h"
#include "proc/process.h"

namespace usvc {
namespace {

TEST(CliTopMeter, CpuIsWhatWasUsedSince) {
  const std::uint64_t second = clock_ticks();
  const std::vector<MemberTime> before = {{1, 10, 100 * second}, {2, 20, 50 * second}};
  // Half a core by the first; the second has ended; the third began since and took a quarter.
  const std::vector<MemberTime> now = {{1, 10, 101 * second}, {3, 1000 * second, second / 2}};
  EXPECT_DOUBLE_EQ(cpu_percent(before, 900, now, 902), 75);
}

TEST(CliTopMeter, AProcessThatJoinedBringsNothingFromBefore) {
  const std::uint64_t second = clock_ticks();
  EXPECT_DOUBLE_EQ(cpu_percent({{1, 10, 0}}, 900, {{1, 10, 0}, {2, 20, 5000 * second}}, 901), 0);
}

TEST(CliTopMeter, APidThatIsAnotherProcessIsNoOldOne) {
  const std::uint64_t second = clock_ticks();
  EXPECT_DOUBLE_EQ(cpu_percent({{1, 10, 500 * second}}, 900, {{1, 900 * second, second}}, 901), 100);
}

TEST(CliTopMeter, MeasuresThisVeryProcess) {
  JobView job;
  job.name = "me-1";
  job.state = "running";
  job.pid = ::getpid();
  job.start_ticks = static_cast<std::int64_t>(identify(::getpid())->start_ticks);
  JobView other = job;
  other.name = "no-1";
  other.start_ticks = *job.start_ticks + 1;
  top::Model model({job_row, trouble_words});
  model.begin_tick(1, 1000);
  model.replace({job, other});
  model.arrange();
  Meter meter;
  meter.measure(model, model.shown(), Meter::Need::all);
  const auto& view = model.all().at("me-1").view;
  EXPECT_TRUE(view.cpu_percent);
  EXPECT_GT(view.mem_bytes.value_or(0), 0);
  EXPECT_TRUE(view.kernel_state);
  EXPECT_FALSE(model.all().at("no-1").view.mem_bytes) << "its pid is another process by now";
}

TEST(JobSelectorExactly, MeansOneJobAlone) {
  const std::vector<JobRef> jobs = {{"web", "web"}, {"web-1", "web"}};
  const std::vector<std::string> words = {exactly("web")};
  const auto found = select(words, jobs);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, std::vector<std::string>{"web"});
}

}  // namespace
}  // namespace usvc
