#include <gtest/gtest.h>

#include <string>

#include "cli/live_status.h"

namespace usvc {
namespace {

constexpr double at_look = 1'800'000'000;
const Terminal a_terminal(true, false, 80);

StatusView with_jobs(int count) {
  StatusView view;
  view.host.name = "box";
  view.host.load = {0, 0, 0};
  for (int i = 1; i <= count; ++i) {
    JobView job;
    job.name = "web-" + std::to_string(i);
    job.group = "web";
    job.state = "stopped";
    job.cmd = {"/srv/serve"};
    view.jobs.push_back(job);
  }
  return view;
}

TEST(LiveStatus, APictureHasTheMachineTheJobsAndARule) {
  const auto lines = status_picture(with_jobs(2), at_look, a_terminal, 10);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_TRUE(lines[0].starts_with("\"box\""));
  EXPECT_TRUE(lines[1].starts_with("service name"));
  EXPECT_TRUE(lines[2].starts_with("web-1"));
  EXPECT_TRUE(lines[3].starts_with("web-2"));
  EXPECT_TRUE(lines[4].starts_with("──"));
}

TEST(LiveStatus, WhereNotAllFitThoseInTroubleComeFirstAndTheRestIsCounted) {
  StatusView view = with_jobs(20);
  view.jobs[17].state = "waiting";
  view.jobs[17].waiting_until = at_look + 5;
  const auto lines = status_picture(view, at_look, a_terminal, 8);
  ASSERT_EQ(lines.size(), 8U);
  EXPECT_TRUE(lines[2].starts_with("web-18")) << lines[2];
  EXPECT_TRUE(lines[3].starts_with("web-1 ")) << lines[3];
  EXPECT_TRUE(lines[6].starts_with("… and 16 more")) << lines[6];
}

TEST(LiveStatus, APictureNeverHasMoreLinesThanThereIsRoomFor) {
  StatusView view = with_jobs(5);
  view.troubles = {"the disk is full", "and more"};
  for (std::size_t most = 0; most < 15; ++most) {
    EXPECT_LE(status_picture(view, at_look, a_terminal, most).size(), most);
  }
}

}  // namespace
}  // namespace usvc
