// Selectors: names, groups, words, globs and states, and their union.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using SelectorsTest = CliTest;

TEST_F(SelectorsTest, EveryKindFindsItsJobs) {
  start({"-n", "3", "-g", "web", "--", probe(), "serve"});
  start({"--name", "web-db", "-g", "db", "--", probe(), "serve"});
  start({"--name", "solo", "--", probe(), "serve"});
  stop({"web-2"});
  const struct {
    Args selectors;
    Args expected;
  } table[] = {
      {{}, {"solo", "web-1", "web-2", "web-3", "web-db"}},
      {{"all"}, {"solo", "web-1", "web-2", "web-3", "web-db"}},
      {{"web"}, {"web-1", "web-2", "web-3"}},
      {{"db"}, {"web-db"}},
      {{"web-2"}, {"web-2"}},
      {{"web-*"}, {"web-1", "web-2", "web-3", "web-db"}},
      {{"web-?"}, {"web-1", "web-2", "web-3"}},
      {{"*o*"}, {"solo"}},
      {{"live"}, {"solo", "web-1", "web-3", "web-db"}},
      {{"dead"}, {"web-2"}},
      {{"state:stopped"}, {"web-2"}},
      {{"state:running"}, {"solo", "web-1", "web-3", "web-db"}},
      {{"solo", "web-1"}, {"solo", "web-1"}},
      {{"web-1", "web", "web-1"}, {"web-1", "web-2", "web-3"}},
      {{"dead", "db"}, {"web-2", "web-db"}},
  };
  for (const auto& row : table) {
    EXPECT_EQ(names(row.selectors), row.expected) << (row.selectors.empty() ? "(none)" : row.selectors[0]);
  }
}

TEST_F(SelectorsTest, ThatMatchNothing) {
  start({"--name", "web", "--", probe(), "serve"});
  for (const char* selector : {"nosuch", "zz-*", "dead", "state:waiting", "web-1"}) {
    fails(3, {"jobs", selector});
    fails(3, {"stop", selector});
  }
  EXPECT_EQ(status("web").state, "running");
}

TEST_F(SelectorsTest, SameAnswersWithoutAnInstance) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  EXPECT_EQ(names({"web"}), (Args{"web-1", "web-2"}));
  EXPECT_EQ(names({"dead"}), (Args{"web-1", "web-2"}));
  fails(3, {"jobs", "live"});
}

}  // namespace

}  // namespace usvc::test
