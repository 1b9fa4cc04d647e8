// Whatever becomes of a file under USVC_HOME: either nobody is the worse for it or it is named, and all else works.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using namespace std::string_literals;

namespace fs = std::filesystem;

enum class Damage { truncated, garbage, directory, unreadable, missing };

const char* name_of(Damage damage) {
  switch (damage) {
    case Damage::truncated:
      return "Truncated";
    case Damage::garbage:
      return "Garbage";
    case Damage::directory:
      return "Directory";
    case Damage::unreadable:
      return "Unreadable";
    case Damage::missing:
      return "Missing";
  }
  return "";
}

// Puts a file back as it was.
class Damaged {
 public:
  Damaged(const fs::path& file, Damage damage) : file_(file), kept_(file.string() + ".kept") {
    fs::path aside = file.parent_path().parent_path() / "kept";  // outside of what is looked at
    kept_ = aside;
    fs::copy_file(file_, kept_, fs::copy_options::overwrite_existing);
    struct stat info {};
    if (stat(file_.c_str(), &info) == 0) owner_ = info.st_uid;
    switch (damage) {
      case Damage::truncated:
        fs::resize_file(file_, 0);
        break;
      case Damage::garbage:
        std::ofstream(file_, std::ios::binary | std::ios::trunc) << "\x01\xff[}garbage \0=\n\"\xfe"s;
        break;
      case Damage::directory:
        fs::remove(file_);
        fs::create_directory(file_);
        own(file_);
        break;
      case Damage::unreadable:
        fs::permissions(file_, fs::perms::none);
        break;
      case Damage::missing:
        fs::remove(file_);
        break;
    }
  }
  ~Damaged() {
    std::error_code error;
    fs::remove_all(file_, error);
    fs::copy_file(kept_, file_, error);
    fs::permissions(file_, fs::perms::owner_read | fs::perms::owner_write, error);
    own(file_);
    fs::remove(kept_, error);
  }
  Damaged(const Damaged&) = delete;
  Damaged& operator=(const Damaged&) = delete;
  Damaged(Damaged&&) = delete;
  Damaged& operator=(Damaged&&) = delete;

 private:
  void own(const fs::path& file) const { (void)!chown(file.c_str(), owner_, owner_); }
  fs::path file_;
  fs::path kept_;
  uid_t owner_ = 0;
};

class CorruptHomeTest : public CliTest {
 protected:
  std::vector<fs::path> files() const {
    std::vector<fs::path> all;
    for (const auto& entry : fs::recursive_directory_iterator(home())) {
      if (entry.is_regular_file()) all.push_back(entry.path());
    }
    return all;
  }
  std::string said(const Output& init) {
    return init.all() + run({"status"}).all() + run({"events"}).all() + read(home() + "/instance.log");
  }
  // Waits until a new manager is there.
  void replace_manager() {
    const pid_t before = manager_pid();
    kill_hard(before);
    EXPECT_TRUE(wait_until(15s, [&] {
      const pid_t now = manager_pid();
      return now > 0 && now != before;
    }));
  }
};

class CorruptFileTest : public CorruptHomeTest, public testing::WithParamInterface<Damage> {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (geteuid() == 0) be_user(nobody);  // root reads everything
  }
};

// What need not be told: the file is made anew, or what it held can't be known to be missing.
bool harmless(const std::string& name, Damage damage) {
  if (name == "keeper.pid" || name == "manager.pid") return true;
  // Nobody needs these before its next start.
  if (name.starts_with("stopped.") && (name != "stopped.conf" || damage == Damage::missing)) return true;
  if (name.ends_with(".env")) return damage != Damage::directory && damage != Damage::unreadable;
  if (name.ends_with(".log") || name.ends_with(".idx") || name == "lock") {
    return damage != Damage::directory && damage != Damage::unreadable;
  }
  return false;
}

TEST_P(CorruptFileTest, IsNamedOrHarmless) {
  start({"--name", "web", "--", probe(), "serve"});
  start({"--name", "other", "--", probe(), "serve"});
  start({"--name", "stopped", "--", probe(), "serve"});
  stop({"stopped"});
  ok({"shutdown"});
  for (const auto& file : files()) {
    SCOPED_TRACE(file);
    const Damaged damaged(file, GetParam());
    const Output init = run({"init"});
    const std::string name = file.filename();
    std::string all_said = said(init);
    const auto named = [&] {
      return contains(all_said, name) || contains(all_said, home() + "/journal knows of no job");
    };
    if (!harmless(name, GetParam())) {
      // A log's index is opened when its job's first output comes.
      EXPECT_TRUE(named() || wait_until(15s,
                                        [&] {
                                          all_said = said(init);
                                          return named();
                                        }))
          << all_said;
    }
    EXPECT_FALSE(contains(all_said, "terminate called")) << all_said;
    if (init.status == 0) {
      const bool knows = !contains(file.string(), "/journal/");
      for (const char* job : {"web", "other"}) {
        if (knows && !name.starts_with(job)) wait_state(job, "running");
        const bool shown = GetParam() != Damage::missing || name != std::string(job) + ".conf";
        if (shown) {
          EXPECT_EQ(status(job).name, job) << "it is still shown";
        }
      }
      EXPECT_NE(status("stopped").state, "running");
    } else {
      EXPECT_TRUE(contains(init.err, name)) << init;
      EXPECT_EQ(run({"status"}).status, 0);
    }
    if (!own_processes().empty()) ok({"shutdown"});
  }
}

INSTANTIATE_TEST_SUITE_P(Every, CorruptFileTest,
                         testing::Values(Damage::truncated, Damage::garbage, Damage::directory, Damage::unreadable,
                                         Damage::missing),
                         [](const auto& one) { return name_of(one.param); });

class CorruptRunningTest : public CorruptFileTest {};

// The instance runs, its manager is killed: the next one finds it so.
TEST_P(CorruptRunningTest, NextManagerLosesNoJob) {
  start({"--name", "web", "--", probe(), "serve"});
  start({"--name", "other", "--", probe(), "serve"});
  const pid_t web = pid_of("web");
  const pid_t other = pid_of("other");
  for (const std::string name : {"jobs/web.conf", "jobs/web.env", "logs/web.log", "keeper.pid"}) {
    SCOPED_TRACE(name);
    {
      const Damaged damaged(home() + "/" + name, GetParam());
      replace_manager();
      EXPECT_TRUE(alive(web));
      EXPECT_EQ(pid_of("other"), other);
      // Shown, with what is wrong with it, or as if nothing were.
      EXPECT_EQ(status("web").name, "web");
    }
  }
  replace_manager();
  EXPECT_EQ(pid_of("web"), web);
  EXPECT_EQ(pid_of("other"), other);
}

INSTANTIATE_TEST_SUITE_P(Every, CorruptRunningTest,
                         testing::Values(Damage::truncated, Damage::garbage, Damage::directory, Damage::unreadable,
                                         Damage::missing),
                         [](const auto& one) { return name_of(one.param); });

TEST_F(CorruptHomeTest, ConfsThatCanBeNoJobAreNamed) {
  start({"--name", "web", "--", probe(), "serve"});
  ok({"shutdown"});
  write(home() + "/jobs/all.conf", "[core]\n\tcmd = /bin/true\n", 0600);
  write(home() + "/jobs/sp ace.conf", "[core]\n\tcmd = /bin/true\n", 0600);
  for (const Args& command : {Args{"status"}, Args{"init"}, Args{"status"}}) {
    const Output output = ok(command);
    EXPECT_TRUE(contains(output.all(), "/jobs/all.conf")) << output;
    EXPECT_TRUE(contains(output.all(), "/jobs/sp ace.conf")) << output;
  }
  EXPECT_EQ(json({"status"}).at("troubles").as_array().size(), 2U);
  EXPECT_EQ(names({}), Args{"web"});
}

TEST_F(CorruptHomeTest, StaleSocketAndPidFileAreInNobodysWay) {
  start({"--name", "web", "--", probe(), "serve"});
  kill_hard(keeper_pid());
  // The manager starts another keeper; both are ended so that socket, lock and pid file stay behind.
  wait_until(20s, [&] {
    for (const auto& process : own_processes()) ::kill(process.pid, SIGKILL);
    return own_processes().empty();
  });
  ASSERT_TRUE(exists(home() + "/usvc.sock"));
  // The number is somebody else's by now.
  write(home() + "/keeper.pid", std::to_string(getpid()) + "\n", 0600);
  EXPECT_FALSE(number_of(vars(), "keeper_pid")) << "a bare pid proves nothing";
  ok({"init"});
  EXPECT_TRUE(wait_state("web", "running", 20s));
  EXPECT_EQ(own_processes().size(), 2U) << list(own_processes());
}

TEST_F(CorruptHomeTest, SecondInstanceOnTheSameHomeIsRefused) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t web = pid_of("web");
  const pid_t keeper = keeper_pid();
  EXPECT_TRUE(contains(ok({"init"}).all(), "already running"));
  // Not even where nothing but the lock is left to tell it by.
  fs::remove(home() + "/keeper.pid");
  const std::string second = fs::read_symlink("/proc/" + std::to_string(keeper) + "/exe");
  const Output output = run_program({second, "--home", home()}, {.deadline = 10s});
  EXPECT_NE(output.status, 0) << output;
  EXPECT_EQ(own_processes().size(), 2U) << list(own_processes());
  EXPECT_EQ(pid_of("web"), web);
}

TEST_F(CorruptHomeTest, LockFileRemovedWhileItRuns) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t web = pid_of("web");
  fs::remove(home() + "/lock");
  EXPECT_EQ(pid_of("web"), web);
  replace_manager();
  EXPECT_EQ(pid_of("web"), web);
  (void)run({"init"});
  EXPECT_EQ(own_processes().size(), 2U) << list(own_processes());
  EXPECT_EQ(pid_of("web"), web);
}

TEST_F(CorruptHomeTest, SocketRemovedWhileItRuns) {
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t web = pid_of("web");
  const pid_t manager = manager_pid();
  fs::remove(home() + "/usvc.sock");
  EXPECT_TRUE(wait_until(10s, [&] { return exists(home() + "/usvc.sock"); })) << "nobody can find it now";
  EXPECT_EQ(pid_of("web"), web);
  EXPECT_EQ(manager_pid(), manager);
}

TEST_F(CorruptHomeTest, RunDirectoryRemovedWhileItRuns) {
  environment().erase("USVC_HOME");
  environment()["XDG_STATE_HOME"] = directory();
  environment()["XDG_RUNTIME_DIR"] = path("run");
  fs::create_directory(path("run"));
  start({"--name", "web", "--", probe(), "serve"});
  const pid_t web = pid_of("web");
  std::error_code error;
  fs::remove_all(path("run") + "/usvc", error);  // it may be made anew while it is being removed
  EXPECT_TRUE(wait_until(10s, [&] { return exists(path("run") + "/usvc/usvc.sock"); })) << "nobody can find it now";
  EXPECT_EQ(pid_of("web"), web);
}

}  // namespace

}  // namespace usvc::test
