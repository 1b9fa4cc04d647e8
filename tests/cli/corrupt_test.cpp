// Files that are not as they should be cost a clear word, never a job.
#include <filesystem>
#include <fstream>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class CorruptTest : public CliTest {
 protected:
  std::string journal_file() {
    std::string newest;
    for (const auto& entry : std::filesystem::directory_iterator(home() + "/journal")) {
      if (entry.is_regular_file() && entry.file_size() > 0) newest = std::max(newest, entry.path().string());
    }
    return newest;
  }
  // Everything that usvc says about this instance, wherever.
  std::string everything_said() {
    return run({"status"}).all() + run({"events"}).all() + read(text_of(vars(), "instance_log"));
  }
};

struct BadConf {
  const char* name;
  const char* text;
  const char* line;
  const char* key;
};

TEST_F(CorruptTest, ConfThatIsWrongIsNamedAndTheOthersRun) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  const BadConf table[] = {
      {"garbage", "this is no conf\n", "1", ""},
      {"unclosed", "[core\n\tcmd = /bin/true\n", "1", ""},
      {"value", "[core]\n\tcmd = /bin/true\n\tstop-timeout = soon\n", "3", "stop-timeout"},
      {"range", "[core]\n\tcmd = /bin/true\n\n\trestart = sometimes\n", "4", "restart"},
  };
  for (const auto& row : table) write(home() + "/jobs/" + row.name + ".conf", row.text, 0600);
  ok({"init"});
  EXPECT_TRUE(wait_state("web", "running"));
  for (const auto& row : table) {
    EXPECT_EQ(status(row.name).state, "invalid") << row.name;
    const std::string why = ok({"why", row.name}).out;
    EXPECT_TRUE(contains(why, conf_path(row.name))) << why;
    EXPECT_TRUE(contains(why, row.key)) << why;
    EXPECT_TRUE(contains(why, row.line)) << why;
    const Output started = run({"start", row.name});
    EXPECT_EQ(started.status, 1) << started;
    EXPECT_TRUE(contains(started.err, conf_path(row.name))) << started;
  }
  EXPECT_TRUE(contains(ok({"status"}).out, "invalid"));
}

TEST_F(CorruptTest, ConfWithoutACommandIsInvalid) {
  start({"--name", "web", "--", probe(), "serve"});
  write(home() + "/jobs/empty.conf", "[core]\n\tgroup = x\n", 0600);
  ok({"shutdown"});
  ok({"init"});
  EXPECT_EQ(status("empty").state, "invalid");
  EXPECT_TRUE(wait_state("web", "running"));
}

TEST_F(CorruptTest, InvalidConfCanBeRepaired) {
  start({"--name", "web", "--", probe(), "serve"});
  const std::string good = read(conf_path("web"));
  write(conf_path("web"), good + "\tstop-timeout = soon\n", 0600);
  const Output output = run({"restart", "web"});
  EXPECT_EQ(output.status, 1) << output;
  EXPECT_TRUE(contains(output.err, "stop-timeout")) << output;
  write(conf_path("web"), good, 0600);
  ok({"restart", "web"});
  EXPECT_EQ(status("web").state, "running");
}

TEST_F(CorruptTest, AStoppedJobIsInvalidAsLongAsItsConfIs) {
  start({"-n", "2", "-g", "b", "--", probe(), "serve"});
  stop({"b-1"});
  const std::string good = read(conf_path("b-1"));
  for (const auto& [text, why] : {std::pair<std::string, std::string>("[core\n", "b-1.conf"),
                                  std::pair<std::string, std::string>(good + "\tnice = 50\n", "core.nice"),
                                  std::pair<std::string, std::string>(good + "\targ = \"x\n", "not closed")}) {
    for (const bool started : {false, true}) {
      write(conf_path("b-1"), text, 0600);
      EXPECT_EQ(names({"state:invalid"}), Args{"b-1"}) << text;
      if (started) {
        EXPECT_EQ(run({"start", "b-1"}).status, 1);
      }
      EXPECT_EQ(status("b-1").state, "invalid") << text;
      EXPECT_TRUE(contains(ok({"status", "b-1"}).out, why)) << text;
      fails(3, {"jobs", "state:stopped"});
      write(conf_path("b-1"), good, 0600);
      EXPECT_EQ(names({"state:stopped"}), Args{"b-1"}) << text;
      EXPECT_EQ(status("b-1").state, "stopped") << text;
      fails(3, {"jobs", "state:invalid"});
    }
  }
  ok({"start", "b-1"});
  EXPECT_EQ(status("b-1").state, "running");
}

TEST_F(CorruptTest, InvalidJobCanBeCleaned) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  write(home() + "/jobs/bad.conf", "[core\n", 0600);
  ok({"init"});
  EXPECT_EQ(status("bad").state, "invalid");
  ok({"clean", "bad"});
  EXPECT_FALSE(exists(conf_path("bad")));
}

TEST_F(CorruptTest, TornLastLineOfTheJournalIsSkipped) {
  start({"--name", "web", "--", probe(), "serve"});
  start({"--name", "stopped", "--", probe(), "serve"});
  stop({"stopped"});
  ok({"shutdown"});
  std::ofstream(journal_file(), std::ios::app) << "{\"t\":1700000000.5,\"job\":\"web\",\"eve";
  ok({"init"});
  EXPECT_TRUE(wait_state("web", "running"));
  EXPECT_EQ(status("stopped").state, "stopped");
  stop({"web"});
  EXPECT_TRUE(journal_names("web").ends_with("starting running stopping exited stopped")) << journal_names("web");
}

TEST_F(CorruptTest, GarbageInTheJournalIsSkippedAndReported) {
  start({"--name", "web", "--", probe(), "serve"});
  start({"--name", "stopped", "--", probe(), "serve"});
  stop({"stopped"});
  ok({"shutdown"});
  const std::string file = journal_file();
  const std::string text = read(file);
  const auto middle = text.find('\n', text.size() / 2) + 1;
  write(file, text.substr(0, middle) + std::string("\x01\xff garbage \0 in here\n", 21) + text.substr(middle), 0600);
  ok({"init"});
  EXPECT_TRUE(wait_state("web", "running"));
  EXPECT_EQ(status("stopped").state, "stopped");
  EXPECT_TRUE(contains(everything_said(), "journal")) << everything_said();
}

TEST_F(CorruptTest, EmptyAndMissingJournalCostNoConf) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  std::filesystem::remove_all(home() + "/journal");
  ok({"init"});
  EXPECT_EQ(names({}), Args{"web"});
  start({"web"});
  EXPECT_EQ(status("web").state, "running");
}

TEST_F(CorruptTest, ForeignFilesAmongTheConfsAreNoJobs) {
  start({"--name", "web", "--", probe(), "serve"});
  write(home() + "/jobs/notes.txt", "mine\n", 0600);
  write(home() + "/jobs/.web.conf.swp", "editor\n", 0600);
  write(home() + "/jobs/web.conf~", "backup\n", 0600);
  ok({"shutdown"});
  ok({"init"});
  EXPECT_EQ(names({}), Args{"web"});
}

}  // namespace

}  // namespace usvc::test
