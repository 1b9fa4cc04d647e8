#include <gtest/gtest.h>

#include <map>
#include <string>

#include "job/layout.h"

namespace usvc {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

Result<Layout> layout(const Variables& variables, std::string_view option = "", std::string_view cwd = "/here") {
  const auto env = [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  return Layout::from(option, env, cwd);
}

TEST(Layout, HomeHoldsEverything) {
  const auto found = layout({{"USVC_HOME", "/data/u"}, {"HOME", "/home/me"}, {"XDG_RUNTIME_DIR", "/run/user/1"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->home, "/data/u");
  EXPECT_EQ(found->jobs_dir, "/data/u/jobs");
  EXPECT_EQ(found->logs_dir, "/data/u/logs");
  EXPECT_EQ(found->old_logs_dir, "/data/u/logs/old");
  EXPECT_EQ(found->journal_dir, "/data/u/journal");
  EXPECT_EQ(found->work_dir, "/data/u/work");
  EXPECT_EQ(found->run_dir, "/data/u");
  EXPECT_EQ(found->socket, "/data/u/usvc.sock");
  EXPECT_EQ(found->tmux_socket, "/data/u/tmux.sock");
  EXPECT_EQ(found->settings, "/data/u/usvc.conf");
  EXPECT_EQ(found->lock, "/data/u/lock");
  EXPECT_EQ(found->instance_log, "/data/u/instance.log");
}

TEST(Layout, TheOptionGoesBeforeTheVariable) {
  EXPECT_EQ(layout({{"USVC_HOME", "/data/u"}}, "/other").value().home, "/other");
  EXPECT_EQ(layout({{"USVC_HOME", "/data/u"}}, "").value().home, "/data/u");
}

TEST(Layout, RelativeHomesAreTakenFromTheWorkingDirectory) {
  EXPECT_EQ(layout({}, "u").value().home, "/here/u");
  EXPECT_EQ(layout({}, "./u/.//v/").value().home, "/here/u/v");
  EXPECT_EQ(layout({}, ".").value().home, "/here");
  EXPECT_EQ(layout({}, "../u").value().home, "/here/../u") << "what .. means depends on links";
  EXPECT_EQ(layout({{"USVC_HOME", "u"}}, "", "/").value().home, "/u");
}

TEST(Layout, TheRootDirectoryIsNoHome) {
  EXPECT_EQ(layout({}, "/").error().kind(), ErrorKind::usage);
  EXPECT_EQ(layout({}, "//.").error().kind(), ErrorKind::usage);
}

TEST(Layout, WithoutAHomeItIsXdg) {
  const auto found = layout({{"USVC_HOME", ""}, {"HOME", "/home/me"}, {"XDG_RUNTIME_DIR", "/run/user/1"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->home, "/home/me/.local/state/usvc");
  EXPECT_EQ(found->jobs_dir, "/home/me/.local/state/usvc/jobs");
  EXPECT_EQ(found->run_dir, "/run/user/1/usvc");
  EXPECT_EQ(found->socket, "/run/user/1/usvc/usvc.sock");
  EXPECT_EQ(found->tmux_socket, "/run/user/1/usvc/tmux.sock");
  EXPECT_EQ(found->settings, "/home/me/.config/usvc/usvc.conf");
  EXPECT_EQ(found->lock, "/home/me/.local/state/usvc/lock");
}

TEST(Layout, XdgVariablesAreRespectedUnlessRelative) {
  const auto found = layout({{"XDG_STATE_HOME", "/s/"}, {"XDG_CONFIG_HOME", "/c"}});
  ASSERT_TRUE(found) << "HOME is not needed then";
  EXPECT_EQ(found->home, "/s/usvc");
  EXPECT_EQ(found->settings, "/c/usvc/usvc.conf");
  EXPECT_EQ(found->socket, "/s/usvc/run/usvc.sock") << "no runtime directory";
  const auto relative =
      layout({{"HOME", "/home/me"}, {"XDG_STATE_HOME", "s"}, {"XDG_CONFIG_HOME", ""}, {"XDG_RUNTIME_DIR", "r"}});
  ASSERT_TRUE(relative);
  EXPECT_EQ(relative->home, "/home/me/.local/state/usvc");
  EXPECT_EQ(relative->settings, "/home/me/.config/usvc/usvc.conf");
  EXPECT_EQ(relative->socket, "/home/me/.local/state/usvc/run/usvc.sock");
}

TEST(Layout, WithNothingSetTheErrorSaysWhatToDo) {
  EXPECT_EQ(layout({}).error().message(),
            "cannot tell where to keep files: HOME is not set (set HOME, or USVC_HOME to a directory)");
  EXPECT_FALSE(layout({{"XDG_STATE_HOME", "/s"}})) << "settings have no place";
  EXPECT_FALSE(layout({{"HOME", "relative"}}));
}

TEST(Layout, FilesOfAJob) {
  const auto found = layout({}, "/u");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->conf_path("web-1"), "/u/jobs/web-1.conf");
  EXPECT_EQ(found->env_path("web-1"), "/u/jobs/web-1.env");
  EXPECT_EQ(found->log_path("web-1"), "/u/logs/web-1.log");
  EXPECT_EQ(found->index_path("web-1"), "/u/logs/web-1.log.idx");
  EXPECT_EQ(found->work_path("web-1"), "/u/work/web-1");
}

}  // namespace
}  // namespace usvc
