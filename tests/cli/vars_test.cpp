// usvc vars: where everything is.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using VarsTest = CliTest;

TEST_F(VarsTest, WithoutAnInstanceThePidsAreNull) {
  const auto values = vars();
  EXPECT_EQ(text_of(values, "home"), home());
  EXPECT_FALSE(text_of(values, "version").empty());
  for (const char* key : {"manager_pid", "keeper_pid"}) {
    ASSERT_TRUE(values.contains(key)) << key;
    EXPECT_TRUE(values.at(key).is_null()) << json::serialize(values);
  }
  EXPECT_TRUE(own_processes().empty());
}

TEST_F(VarsTest, PathsAreWhereThingsAre) {
  start({"--name", "web", "--", probe(), "serve"});
  const auto values = vars();
  EXPECT_EQ(text_of(values, "jobs_dir"), home() + "/jobs");
  EXPECT_EQ(text_of(values, "logs_dir"), home() + "/logs");
  EXPECT_TRUE(exists(text_of(values, "socket"))) << json::serialize(values);
  EXPECT_TRUE(text_of(values, "tmux_socket").starts_with("/")) << json::serialize(values);
  for (const char* key : {"manager_pid", "keeper_pid"}) {
    const auto pid = static_cast<pid_t>(number_of(values, key).value_or(0));
    EXPECT_TRUE(pid > 0 && alive(pid)) << key;
  }
  const std::string readable = ok({"vars"}).out;
  EXPECT_TRUE(contains(readable, home() + "/jobs")) << readable;
}

TEST_F(VarsTest, HomeCanBeGivenAsAnOption) {
  const std::string other = path("other");
  EXPECT_EQ(text_of(json({"--home", other, "vars"}).as_object(), "home"), other);
}

TEST_F(VarsTest, AnswersAlsoWhileTheManagerIsAway) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t keeper = keeper_pid();
  const pid_t manager = manager_pid();
  freeze(keeper);  // so that nobody starts another manager
  kill_hard(manager);
  const auto values = json({"vars"}, {.deadline = 10s}).as_object();
  EXPECT_TRUE(values.at("manager_pid").is_null()) << json::serialize(values);
  EXPECT_EQ(number_of(values, "keeper_pid"), keeper);
  thaw(keeper);
  EXPECT_TRUE(wait_until(10s, [&] { return manager_pid() > 0; }));
}

}  // namespace

}  // namespace usvc::test
