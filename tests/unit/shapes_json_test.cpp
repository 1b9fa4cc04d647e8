#include <gtest/gtest.h>

#include "shapes/event.h"
#include "shapes/requests.h"

namespace usvc {
namespace {

// JSON cannot write an infinite number, so one that was read would make an answer that is none.
TEST(Json, NumbersTooLargeAreRefused) {
  for (const char* number : {"1e400", "-1e400", "1.8e308"}) {
    const auto request = parse_as<WaitRequest>("{\"timeout_seconds\":" + std::string(number) + "}");
    ASSERT_FALSE(request) << number;
    EXPECT_EQ(request.error().message(), "timeout_seconds: expected a number, found one too large");
    EXPECT_FALSE(parse_event("{\"event\":\"exited\",\"t\":" + std::string(number) + "}")) << number;
  }
  const auto large = parse_as<WaitRequest>(R"({"timeout_seconds":1e308})");
  ASSERT_TRUE(large);
  EXPECT_EQ(large->timeout_seconds, 1e308);
}

}  // namespace
}  // namespace usvc
