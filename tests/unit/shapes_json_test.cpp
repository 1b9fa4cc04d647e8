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

// No strict parser takes anything else.
std::string strict_text(const json::value& value) {
  std::string text = json_text(value);
  json::error_code why;
  (void)json::parse(text, why);
  EXPECT_FALSE(why) << text;
  return text;
}

TEST(Json, TextsThatAreNotUtf8AreEscapedAndSaidSo) {
  ConfView view;
  view.name = "web";
  view.entries = {{"arg", "caf\xe9 \\"}, {"arg", "caf\xc3\xa9 \\"}};
  const std::string text = strict_text(to_json(view));
  EXPECT_NE(text.find(R"({"key":"arg","value":"caf\\xe9 \\\\","escaped":true})"), std::string::npos) << text;
  EXPECT_NE(text.find("{\"key\":\"arg\",\"value\":\"caf\xc3\xa9 \\\\\"}"), std::string::npos) << text;
  EXPECT_TRUE(text.starts_with(R"({"name":"web",)")) << text;

  const auto read = parse_as<ConfView>(text);
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->entries.size(), 2U);
  EXPECT_EQ(read->entries[0].value, view.entries[0].value);
  EXPECT_EQ(read->entries[1].value, view.entries[1].value);
}

// A struct's text is written at once, and means what the values between would.
TEST(Json, TheTextOfAStructIsThatOfItsValues) {
  JobsReply reply;
  JobView job;
  for (int c = 0; c < 128; ++c) job.name += static_cast<char>(c);
  job.pid = 17;
  job.cmd = {"/bin/sh", "-c", "echo \"caf\xc3\xa9\" \\ / \x7f\n"};
  job.started_at = 1795786613.6641464;
  job.wanted = true;
  job.cpu_percent = 0.0;
  job.last_exit = ExitView{};
  job.binary = BinaryView{};
  reply.jobs = {job, JobView{}};
  for (const Absent absent : {Absent::null, Absent::omit}) {
    EXPECT_EQ(to_json_text(reply, absent), json_text(to_json(reply, absent)));
  }
  EXPECT_EQ(to_json_text(JobsReply{}), json_text(to_json(JobsReply{})));
  reply.jobs[1].cwd = "caf\xe9";
  EXPECT_EQ(to_json_text(reply), json_text(to_json(reply)));
}

// A list belongs to the object it is in.
TEST(Json, ListsAreEscapedAsTheirObjectIs) {
  JobView job;
  job.name = "web";
  job.cmd = {"/bin/\xff", "a\\b", ""};
  job.cwd = "C:\\x41";
  const auto read = parse_as<JobView>(strict_text(to_json(job)));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->cmd, job.cmd);
  EXPECT_EQ(read->cwd, job.cwd);
  EXPECT_EQ(strict_text(to_json(std::vector<std::string>{"\xff\\", "\\"})),
            R"([{"text":"\\xff\\\\","escaped":true},"\\"])");
}

TEST(Json, KeysAreUtf8Too) {
  json::value value = json::object{{"a\xff", json::array{json::object{{"\xfe", 1}}}}, {"b", 2}};
  const std::string text = strict_text(value);
  EXPECT_NE(text.find(R"("a\\xff":[{"\\xfe":1}])"), std::string::npos) << text;
}

TEST(Json, EveryByteComesBack) {
  EntryView entry;
  for (int byte = 0; byte < 256; ++byte) entry.value += static_cast<char>(byte);
  const auto read = parse_as<EntryView>(strict_text(to_json(entry)));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->value, entry.value);
}

TEST(Json, BytesOfOlderVersionsAreRead) {
  const auto read = parse_as<EntryView>("{\"key\":\"arg\",\"value\":\"caf\xe9 \\\\\"}");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->value, "caf\xe9 \\");
}

TEST(Json, BrokenEscapesAreRefused) {
  for (const char* value : {R"(\\)", R"(\\n)", R"(\\x)", R"(\\x4)", R"(\\xg0)", R"(\\x+1)"}) {
    const auto read = parse_as<EntryView>(R"({"escaped":true,"value":")" + std::string(value) + "\"}");
    ASSERT_FALSE(read) << value;
    EXPECT_EQ(read.error().message(), "value: an escaped text has a \\ that is neither \\\\ nor \\xHH");
  }
}

}  // namespace
}  // namespace usvc
