// usvc doctor: what bites, and the command that mends it.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class DoctorTest : public CliTest {
 protected:
  // The findings about one thing, of one severity.
  std::vector<json::object> found(const std::string& about, const std::string& severity) {
    const Output output = run({"--json", "doctor"});
    std::vector<json::object> result;
    const json::value document = json::parse(output.out);
    for (const auto& finding : document.at("findings").as_array()) {
      const auto& object = finding.as_object();
      if (object.at("about").as_string() == about && object.at("severity").as_string() == severity) {
        result.push_back(object);
      }
    }
    return result;
  }
  static std::string word_of(const json::object& finding, const char* key) {
    return std::string(finding.at(key).as_string());
  }
};

TEST_F(DoctorTest, StartsNothingAndSaysThatNoneRuns) {
  const auto findings = found("instance", "well");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_TRUE(contains(word_of(findings[0], "what"), "none runs")) << word_of(findings[0], "what");
  EXPECT_TRUE(own_processes().empty());
}

TEST_F(DoctorTest, AHealthyInstanceHasNoTrouble) {
  start({"--name", "web", "--", probe(), "serve"});
  const Output output = ok({"doctor"});
  EXPECT_FALSE(contains(output.out, "trouble")) << output.out;
  EXPECT_TRUE(contains(output.out, "well     jobs       1,")) << output.out;
}

TEST_F(DoctorTest, ProgramReplacedSince) {
  const std::string copy = path("worker");
  std::filesystem::copy_file(probe(), copy);
  start({"--name", "web", "--", copy, "serve"});
  std::filesystem::remove(copy);
  std::filesystem::copy_file(probe(), copy);
  EXPECT_EQ(run({"doctor"}).status, 1);
  const auto findings = found("jobs", "trouble");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(word_of(findings[0], "mend"), "usvc restart --rolling web");
  ok({"restart", "--rolling", "web"});
  EXPECT_TRUE(found("jobs", "trouble").empty());
}

TEST_F(DoctorTest, ProgramOfAStoppedJobMayBeReplaced) {
  const std::string copy = path("worker");
  std::filesystem::copy_file(probe(), copy);
  start({"--name", "web", "--", copy, "serve"});
  stop({"web"});
  std::filesystem::remove(copy);
  std::filesystem::copy_file("/bin/true", copy);
  EXPECT_TRUE(found("jobs", "trouble").empty());
}

TEST_F(DoctorTest, ProgramThatIsGone) {
  const std::string copy = path("worker");
  std::filesystem::copy_file(probe(), copy);
  start({"--name", "web", "--", copy, "serve"});
  std::filesystem::remove(copy);
  const auto findings = found("jobs", "trouble");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_TRUE(contains(word_of(findings[0], "what"), "its next start would fail")) << word_of(findings[0], "what");
  EXPECT_TRUE(contains(word_of(findings[0], "what"), copy)) << word_of(findings[0], "what");
  std::filesystem::copy_file(probe(), copy);
  ok({"restart", "web"});
  EXPECT_TRUE(found("jobs", "trouble").empty());
}

TEST_F(DoctorTest, BareProgramIsLookedForInTheJobsPath) {
  const std::string copy = path("bin/worker");
  std::filesystem::create_directory(path("bin"));
  std::filesystem::copy_file(probe(), copy);
  start({"--name", "web", "-e", "PATH=" + path("bin"), "--", copy, "serve"});
  ok({"conf", "web", "cmd", "worker"});
  EXPECT_TRUE(found("jobs", "trouble").empty());
  std::filesystem::rename(copy, copy + "-of-old");
  const auto findings = found("jobs", "trouble");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_TRUE(contains(word_of(findings[0], "what"), "worker")) << word_of(findings[0], "what");
}

TEST_F(DoctorTest, ModesOpenToOthers) {
  start({"--name", "web", "--", probe(), "serve"});
  ASSERT_EQ(::chmod(conf_path("web").c_str(), 0644), 0);
  const auto findings = found("modes", "trouble");
  ASSERT_EQ(findings.size(), 1U);
  ok({"vars"});
  run_program({"/bin/sh", "-c", word_of(findings[0], "mend")});
  EXPECT_TRUE(found("modes", "trouble").empty());
}

// Each of them alone makes the next manager refuse to begin, or its hooks somebody else's.
TEST_F(DoctorTest, EveryPlaceTheManagerUsesIsLookedAt) {
  start({"--name", "web", "--", probe(), "serve"});
  write("h/usvc.conf", "[start]\n\tpre-cmd = true\n", 0600);
  for (const char* place : {"h/logs/old", "h/logs", "h/journal", "h/work", "h/usvc.conf"}) {
    ASSERT_EQ(::chmod(path(place).c_str(), 0777), 0);
    const auto findings = found("modes", "trouble");
    ASSERT_EQ(findings.size(), 1U) << place;
    EXPECT_TRUE(contains(word_of(findings[0], "what"), path(place) + " can be changed"))
        << word_of(findings[0], "what");
    run_program({"/bin/sh", "-c", word_of(findings[0], "mend")});
    EXPECT_TRUE(found("modes", "trouble").empty()) << place;
    ASSERT_EQ(::chmod(path(place).c_str(), contains(place, "conf") ? 0600 : 0700), 0);
  }
}

TEST_F(DoctorTest, SettingsOutsideTheHomeAreLookedAtWithTheirDirectory) {
  environment().erase("USVC_HOME");
  start({"--name", "web", "--", probe(), "serve"});
  std::filesystem::create_directories(path(".config/usvc"));
  write(".config/usvc/usvc.conf", "", 0644);
  ASSERT_EQ(::chmod(path(".config/usvc").c_str(), 0755), 0);
  EXPECT_TRUE(found("modes", "trouble").empty());
  ASSERT_EQ(::chmod(path(".config/usvc").c_str(), 0777), 0);
  const auto findings = found("modes", "trouble");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(word_of(findings[0], "mend"), "chmod go-w " + path(".config/usvc"));
  ok({"shutdown"});
}

TEST_F(DoctorTest, DirectoriesThatCanNotBeWrittenTo) {
  if (geteuid() == 0) be_user(nobody);
  start({"--name", "web", "--", probe(), "serve"});
  for (const char* place : {"h/logs", "h/jobs"}) {
    ASSERT_EQ(::chmod(path(place).c_str(), 0500), 0);
    const auto findings = found("modes", "trouble");
    ASSERT_EQ(findings.size(), 1U) << place;
    EXPECT_EQ(word_of(findings[0], "mend"), "chmod 700 " + path(place));
    ASSERT_EQ(::chmod(path(place).c_str(), 0700), 0);
  }
}

TEST_F(DoctorTest, SomebodyElsesDirectoryAsHome) {
  if (geteuid() == 0) be_user(nobody);
  EXPECT_TRUE(contains(run({"--home", "/usr", "doctor"}).out, "-> use a directory of your own: usvc --home DIR"));
}

TEST_F(DoctorTest, SettingsThatCanNotBeRead) {
  if (geteuid() == 0) be_user(nobody);
  start({"--name", "web", "--", probe(), "serve"});
  write("h/usvc.conf", "", 0600);
  ASSERT_EQ(::chmod(path("h/usvc.conf").c_str(), 0), 0);
  const auto findings = found("settings", "trouble");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(word_of(findings[0], "mend"), "chmod u+r " + path("h/usvc.conf"));
}

TEST_F(DoctorTest, AFileThatIsNoJobsConfIsNamed) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  write("h/jobs/all.conf", "", 0600);
  for (const bool runs : {false, true}) {
    if (runs) ok({"init"});
    EXPECT_TRUE(found("instance", "trouble").empty());
    const auto findings = found("jobs", "trouble");
    ASSERT_EQ(findings.size(), 1U) << runs;
    EXPECT_EQ(word_of(findings[0], "mend"), "rename or remove " + conf_path("all"));
  }
}

TEST_F(DoctorTest, EachFindingOnce) {
  start({"--name", "web", "--", probe(), "serve"});
  ASSERT_EQ(::chmod(home().c_str(), 0755), 0);
  EXPECT_EQ(found("modes", "trouble").size(), 1U);
}

TEST_F(DoctorTest, SettingsAreNamedWithTheirLine) {
  const std::string text = "[core]\n\tlog-total = 1G\n[start]\n\tstop-timout = 3s\n";
  start({"--name", "web", "--", probe(), "serve"});
  write("h/usvc.conf", text, 0600);
  for (const bool runs : {true, false}) {
    if (!runs) ok({"shutdown"});
    const auto findings = found("settings", "trouble");
    ASSERT_EQ(findings.size(), 1U) << runs;
    EXPECT_TRUE(contains(word_of(findings[0], "what"), "/usvc.conf:4: start.stop-timout: there is no such setting"))
        << word_of(findings[0], "what");
    EXPECT_TRUE(contains(word_of(findings[0], "what"), "did you mean start.stop-timeout?"));
    EXPECT_TRUE(contains(word_of(findings[0], "mend"), "usvc.conf"));
  }
}

TEST_F(DoctorTest, ALinkIsAsOpenAsWhatItLeadsTo) {
  start({"--name", "web", "--", probe(), "serve"});
  std::filesystem::rename(conf_path("web"), path("kept.conf"));
  std::filesystem::create_symlink(path("kept.conf"), conf_path("web"));
  EXPECT_TRUE(found("modes", "trouble").empty());
}

TEST_F(DoctorTest, ConfThatDoesNotParse) {
  start({"--name", "web", "--", probe(), "serve"});
  write("h/jobs/web.conf", "[core\n");  // what runs goes on, and would not start again
  const auto findings = found("jobs", "trouble");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_TRUE(contains(word_of(findings[0], "what"), "web")) << word_of(findings[0], "what");
  EXPECT_TRUE(contains(word_of(findings[0], "mend"), "web.conf")) << word_of(findings[0], "mend");
}

TEST_F(DoctorTest, JobsInTroubleAreNoWellOnes) {
  run({"start", "--name", "bad", "--settle", "0", "--", probe(), "exit", "3"});
  ASSERT_TRUE(wait_until(20s, [&] { return status("bad").deaths > 1; }));
  const auto one = found("jobs", "trouble");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_TRUE(contains(word_of(one[0], "what"), "bad: exit 3")) << word_of(one[0], "what");
  EXPECT_EQ(word_of(one[0], "mend"), "usvc why bad");
  start({"--name", "web", "--", probe(), "serve"});
  write(conf_path("web"), "[core]\n\tcmd = /bin/true\n\ttty = perhaps\n", 0600);
  EXPECT_EQ(found("jobs", "trouble").size(), 2U);
}

TEST_F(DoctorTest, ManagerThatDoesNotAnswerIsNamed) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t manager = manager_pid();
  freeze(manager);
  const Output output = run({"doctor"}, {.deadline = 30s});
  EXPECT_EQ(output.status, 1) << output.out;
  EXPECT_TRUE(contains(output.out, "kill -CONT " + std::to_string(manager))) << output.out;
  thaw(manager);
  EXPECT_EQ(run({"doctor"}).status, 0);
}

TEST_F(DoctorTest, DescriptorsThatRunOut) {
  start({"--name", "web", "--", probe(), "serve"});
  const std::string pid = std::to_string(manager_pid());
  std::size_t open = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + pid + "/fd")) open += entry.exists() ? 1 : 0;
  ASSERT_EQ(run_program({"/usr/bin/prlimit", "--pid", pid, "--nofile=" + std::to_string(open + 3) + ":"}).status, 0);
  const auto findings = found("limits", "trouble");
  ASSERT_EQ(findings.size(), 1U);
  const std::string mend = word_of(findings[0], "mend");
  ASSERT_TRUE(mend.starts_with("prlimit ")) << mend;
  EXPECT_EQ(run_program({"/bin/sh", "-c", mend}).status, 0);
  EXPECT_TRUE(found("limits", "trouble").empty());
}

TEST_F(DoctorTest, AStoppedKeeperIsNamedOnce) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t keeper = keeper_pid();
  freeze(keeper);
  EXPECT_TRUE(wait_until(10s, [&] { return contains(run({"status"}).all(), "kill -CONT"); }));
  const auto findings = found("instance", "trouble");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(word_of(findings[0], "mend"), "kill -CONT " + std::to_string(keeper));
  thaw(keeper);
  EXPECT_TRUE(wait_until(10s, [&] { return found("instance", "trouble").empty(); }));
}

}  // namespace

}  // namespace usvc::test
