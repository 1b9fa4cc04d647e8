#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "job/backoff.h"

namespace usvc {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr double middle = 0.5;  // no jitter
constexpr double almost_one = 0.999999;

TEST(Backoff, DoublesFromTheSecondYoungEndOn) {
  const std::vector<Duration> expected = {seconds(0),   seconds(0),   seconds(1),  seconds(2),  seconds(4),
                                          seconds(8),   seconds(16),  seconds(32), seconds(64), seconds(128),
                                          seconds(256), seconds(300), seconds(300)};
  for (std::size_t count = 0; count < expected.size(); ++count) {
    EXPECT_EQ(Backoff::delay({}, static_cast<int>(count), {}, middle), expected[count]) << count;
  }
}

TEST(Backoff, JitterIsAFifthEitherWayAndCappedAfterwards) {
  EXPECT_EQ(Backoff::delay({}, 2, {}, 0), milliseconds(800));
  EXPECT_NEAR(static_cast<double>(Backoff::delay({}, 2, {}, almost_one).count()), 1.2e9, 1e4);
  EXPECT_EQ(Backoff::delay({}, 10, {}, almost_one), seconds(300)) << "256 s and a fifth would be more";
  EXPECT_EQ(Backoff::delay({}, 50, {}, 0), seconds(240)) << "jobs stay apart at the cap too";
  EXPECT_EQ(Backoff::delay({}, 50, {}, almost_one), seconds(300));
}

TEST(Backoff, StaysWithinItsBoundsForEveryCount) {
  for (const int count : {0, 1, 2, 3, 9, 10, 11, 31, 64, 65, 1000, std::numeric_limits<int>::max()}) {
    for (const double random : {-1.0, 0.0, 0.25, middle, almost_one, 1.0, 7.0}) {
      const Duration delay = Backoff::delay({}, count, {}, random);
      EXPECT_GE(delay, count <= 1 ? Duration::zero() : Duration(milliseconds(800))) << count;
      EXPECT_LE(delay, count <= 1 ? Duration::zero() : Backoff::longest_wait) << count;
    }
  }
}

TEST(Backoff, WithoutProtectionOnlyTheFloorRemains) {
  const Backoff::Rules unprotected{.runaway_protect = false};
  EXPECT_EQ(Backoff::delay(unprotected, 0, {}, middle), Duration::zero());
  EXPECT_EQ(Backoff::delay(unprotected, 1, {}, middle), Duration::zero());
  for (const int count : {2, 3, 100, std::numeric_limits<int>::max()}) {
    for (const double random : {0.0, almost_one}) {
      EXPECT_EQ(Backoff::delay(unprotected, count, {}, random), milliseconds(50));
    }
  }
}

TEST(Backoff, WithoutProtectionARunThatLastedAWhileIsFollowedAtOnce) {
  const Backoff::Rules unprotected{.runaway_protect = false};
  EXPECT_EQ(Backoff::delay(unprotected, 5, milliseconds(20), middle), milliseconds(30));
  EXPECT_EQ(Backoff::delay(unprotected, 5, milliseconds(50), middle), Duration::zero());
  EXPECT_EQ(Backoff::delay(unprotected, 5, seconds(3), middle), Duration::zero());
  EXPECT_EQ(Backoff::delay({}, 5, seconds(3), middle), seconds(8)) << "the protected wait in any case";
}

TEST(Backoff, AHealthyMinuteStartsTheCountAnew) {
  EXPECT_EQ(Backoff::count_after(0, seconds(0)), 1);
  EXPECT_EQ(Backoff::count_after(5, seconds(1)), 6);
  EXPECT_EQ(Backoff::count_after(5, seconds(60) - nanoseconds(1)), 6);
  EXPECT_EQ(Backoff::count_after(5, seconds(60)), 0);
  EXPECT_EQ(Backoff::count_after(std::numeric_limits<int>::max(), seconds(1)), std::numeric_limits<int>::max());
}

TEST(Backoff, ACrashLoopTakesTheWholeLadder) {
  int count = 0;
  Duration waited{};
  for (int run = 0; run < 5; ++run) {
    count = Backoff::count_after(count, milliseconds(1));
    waited += Backoff::delay({}, count, {}, middle);
  }
  EXPECT_EQ(waited, seconds(0 + 1 + 2 + 4 + 8));
  count = Backoff::count_after(count, seconds(3600));
  EXPECT_EQ(Backoff::delay({}, count, {}, middle), Duration::zero());
}

}  // namespace
}  // namespace usvc
