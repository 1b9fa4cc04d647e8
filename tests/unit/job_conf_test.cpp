#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/text.h"
#include "job/conf.h"
#include "job/options.h"
#include "unit/temporary_directory.h"

namespace usvc {
namespace {

ConfEntry entry(std::string key, std::string value, int line = 0) {
  ConfEntry made;
  made.key = std::move(key);
  made.value = std::move(value);
  if (line > 0) made.file = "jobs/web.conf";
  made.line = line;
  return made;
}

ConfEntry bare(std::string key, int line = 0) {
  ConfEntry made = entry(std::move(key), "", line);
  made.has_value = false;
  return made;
}

// Every member differs from its default.
Conf full_conf() {
  Conf conf;
  conf.cmd = "/usr/bin/env";
  conf.args = {"-i", "", "a b", "-- "};
  conf.name = "web-1";
  conf.group = "web";
  conf.cwd = "/srv/my site";
  conf.log = "/var/log/x.log";
  conf.restart = RestartPolicy::on_failure;
  conf.tty = false;
  conf.split = true;
  conf.alerts = {"me@example.org", "https://example.org/hook"};
  conf.pre_cmd = "echo \"pre\"; # not a comment";
  conf.post_cmd = "echo post";
  conf.runaway_protect = false;
  conf.stop_signal = SIGRTMIN + 3;
  conf.stop_timeout = std::chrono::milliseconds(1500);
  conf.settle = std::chrono::seconds(0);
  conf.tree = TreeTier::subreaper;
  conf.umask = 027;
  conf.nice = -5;
  conf.limits = {{RLIMIT_NOFILE, 1024, 4096}, {RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY}};
  conf.log_max_size = 3ULL << 30;
  conf.log_keep = 0;
  return conf;
}

std::vector<std::pair<std::string, std::string>> pairs(const std::vector<ConfEntry>& entries) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const ConfEntry& e : entries) result.emplace_back(e.key, e.value);
  return result;
}

TEST(ConfEntries, AreWrittenAndReadBack) {
  const auto back = conf_from_entries(conf_to_entries(full_conf()));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, full_conf());
}

TEST(ConfEntries, HoldEveryKeyWhenNothingIsDefault) {
  Conf conf = full_conf();
  std::vector<ConfEntry> entries = conf_to_entries(conf);
  // The one key that excludes another.
  conf.keepalive = false;
  for (ConfEntry& e : conf_to_entries(conf)) entries.push_back(std::move(e));
  for (const Option& option : option_table()) {
    EXPECT_TRUE(std::any_of(entries.begin(), entries.end(), [&](const ConfEntry& e) { return e.key == option.key; }))
        << option.key;
  }
  for (const ConfEntry& e : entries) {
    ASSERT_NE(find_option(e.key), nullptr) << e.key;
    EXPECT_TRUE(check_value(*find_option(e.key), e.value)) << e.key;
  }
}

TEST(ConfEntries, LeaveDefaultsOut) {
  Conf conf;
  conf.cmd = "/bin/sleep";
  conf.args = {"600"};
  conf.name = "sleep-1";
  conf.group = "sleep";
  conf.cwd = "/";
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"cmd", "/bin/sleep"}, {"arg", "600"}, {"name", "sleep-1"}, {"group", "sleep"}, {"cwd", "/"}};
  EXPECT_EQ(pairs(conf_to_entries(conf)), expected);
}

TEST(ConfEntries, OnceIsOneLine) {
  Conf conf;
  conf.cmd = "x";
  conf.keepalive = false;
  conf.restart = RestartPolicy::never;
  const std::vector<std::pair<std::string, std::string>> expected = {{"cmd", "x"}, {"keepalive", "false"}};
  EXPECT_EQ(pairs(conf_to_entries(conf)), expected);
  EXPECT_EQ(conf_from_entries(conf_to_entries(conf)).value(), conf);
}

TEST(ConfEntries, EveryEnumeratorIsReadBack) {
  for (const auto policy : {RestartPolicy::always, RestartPolicy::on_failure, RestartPolicy::never}) {
    for (const auto tree : {TreeTier::automatic, TreeTier::cgroup, TreeTier::proc, TreeTier::subreaper}) {
      Conf conf;
      conf.cmd = "x";
      conf.restart = policy;
      conf.tree = tree;
      EXPECT_EQ(conf_from_entries(conf_to_entries(conf)).value(), conf);
    }
  }
  EXPECT_EQ(conf_from_entries({entry("cmd", "x"), entry("restart", "on-failure")}).value().restart,
            RestartPolicy::on_failure);
  EXPECT_EQ(conf_from_entries({entry("cmd", "x"), entry("tree", "proc")}).value().tree, TreeTier::proc);
}

TEST(ConfEntries, SizesAreWrittenExactly) {
  for (const std::uint64_t size :
       {1ULL, 1023ULL, 1024ULL, 1025ULL, 64ULL << 20, (64ULL << 20) + 1, 5ULL << 40, 1ULL << 62, (1ULL << 63) - 1}) {
    Conf conf;
    conf.cmd = "x";
    conf.log_max_size = size;
    EXPECT_EQ(conf_from_entries(conf_to_entries(conf)).value().log_max_size, size);
  }
}

TEST(ConfFromEntries, LastValueWinsAndRepeatablesGather) {
  const auto conf = conf_from_entries({entry("cmd", "a"), entry("cmd", "b"), entry("arg", "1"), entry("arg", ""),
                                       entry("arg", "1"), entry("alert", "x"), entry("alert", "y"),
                                       entry("limit", "nofile 1 2"), entry("limit", "core 0"),
                                       entry("limit", "nofile 3 4"), entry("tty", "no"), entry("tty", "yes")});
  ASSERT_TRUE(conf) << conf.error().message();
  EXPECT_EQ(conf->cmd, "b");
  EXPECT_EQ(conf->args, (std::vector<std::string>{"1", "", "1"}));
  EXPECT_EQ(conf->alerts, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(conf->limits, (std::vector<Limit>{{RLIMIT_NOFILE, 3, 4}, {RLIMIT_CORE, 0, 0}}));
  EXPECT_TRUE(conf->tty);
}

TEST(ConfFromEntries, KeepaliveFalseMeansRestartNever) {
  for (const char* restart : {"always", "on-failure", "never"}) {
    const auto conf = conf_from_entries({entry("cmd", "x"), entry("keepalive", "off"), entry("restart", restart)});
    ASSERT_TRUE(conf);
    EXPECT_FALSE(conf->keepalive);
    EXPECT_EQ(conf->restart, RestartPolicy::never) << restart;
  }
}

TEST(ConfFromEntries, BooleansAreGits) {
  EXPECT_TRUE(conf_from_entries({entry("cmd", "x"), entry("tty", "0"), bare("tty")}).value().tty)
      << "a bare key is true";
  EXPECT_FALSE(conf_from_entries({entry("cmd", "x"), entry("tty", "")}).value().tty) << "an empty value is false";
}

TEST(ConfFromEntries, ErrorsSayWhereAndWhatIsAllowed) {
  struct Row {
    ConfEntry wrong;
    std::string message;
  };
  const std::vector<Row> table = {
      {entry("stop-timeout", "soon", 7),
       "jobs/web.conf:7: core.stop-timeout: 'soon' is not a length of time "
       "(like 90s, 10m, 1h30m, 300ms, or plain seconds)"},
      {entry("restart", "maybe"), "core.restart: 'maybe' is not known here (always, on-failure or never)"},
      {entry("nice", "99", 3), "jobs/web.conf:3: core.nice: '99' is out of range (-20 to 19)"},
      {entry("stoptimeout", "1", 4),
       "jobs/web.conf:4: core.stoptimeout: there is no such key (did you mean 'stop-timeout'?)"},
      {bare("cwd", 5), "jobs/web.conf:5: core.cwd: it has no value (cwd = DIR)"},
      {entry("cmd", "", 6), "jobs/web.conf:6: core.cmd: it is empty (give a value, or leave the line out)"},
      {entry("cwd", "a\nb", 8),
       "jobs/web.conf:8: core.cwd: 'a\\nb' is not an absolute path (a path that begins with /)"},
  };
  for (const auto& [wrong, message] : table) {
    const auto conf = conf_from_entries({entry("cmd", "x", 1), wrong});
    ASSERT_FALSE(conf) << message;
    EXPECT_EQ(conf.error().message(), message);
    EXPECT_EQ(conf.error().kind(), ErrorKind::failure);
  }
  ConfEntry no_line = entry("nice", "99");
  no_line.file = "web.conf";
  EXPECT_TRUE(conf_from_entries({no_line}).error().message().starts_with("web.conf: core.nice: "));
  const std::string unknown = conf_from_entries({entry("banana", "1")}).error().message();
  EXPECT_TRUE(unknown.starts_with("core.banana: there is no such key (man usvc-job.conf lists the keys)")) << unknown;
}

TEST(ConfFromEntries, CmdMustBeThere) {
  EXPECT_EQ(conf_from_entries({}).error().message(), "core.cmd: it is missing (cmd = CMD says what to run)");
  EXPECT_EQ(conf_from_entries({entry("tty", "no", 2)}).error().message(),
            "jobs/web.conf: core.cmd: it is missing (cmd = CMD says what to run)");
}

TEST(ConfText, QuotesWhatMustBe) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"plain", "plain"}, {"/usr/bin/x", "/usr/bin/x"}, {"--opt=1", "--opt=1"}, {"", "\"\""},
      {"a b", "\"a b\""}, {"a#b", "\"a#b\""},           {"a;b", "\"a;b\""},     {"\"", "\"\\\"\""},
      {"\\", "\"\\\\\""}, {"a\nb", "\"a\\nb\""},        {"\t\b", "\"\\t\\b\""}, {"\xff", "\"\xff\""},
  };
  for (const auto& [value, expected] : table) EXPECT_EQ(conf_quote(value), expected);
  EXPECT_EQ(conf_text({entry("cmd", "/bin/x"), entry("arg", "a b"), bare("tty")}),
            "[core]\n\tcmd = /bin/x\n\targ = \"a b\"\n\ttty\n");
}

// The real git is the judge of what our text means.
class GitTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!run("--version")) GTEST_SKIP() << "git is not installed";
  }

  // What `git config ARGUMENTS` prints; nothing when it fails.
  [[nodiscard]] std::optional<std::string> run(const std::string& arguments) const {
    const std::string command = "cd " + shell_quote(directory_.path()) + " && git config -f job.conf " + arguments;
    FILE* pipe = ::popen((arguments == "--version" ? "git --version" : command).c_str(), "re");
    if (pipe == nullptr) return std::nullopt;
    std::string output;
    std::array<char, 4096> part{};
    for (std::size_t got = 0; (got = std::fread(part.data(), 1, part.size(), pipe)) > 0;)
      output.append(part.data(), got);
    return ::pclose(pipe) == 0 ? std::optional(output) : std::nullopt;
  }

  // "core.key LF value NUL" for each line; no LF for a key without a value.
  [[nodiscard]] std::vector<ConfEntry> list() const {
    std::vector<ConfEntry> entries;
    const std::string output = run("-z --list").value_or("git failed");
    for (const std::string_view item : split(output, '\0')) {
      if (item.empty()) continue;
      const std::size_t line_end = item.find('\n');
      const std::string key(item.substr(0, line_end));
      EXPECT_TRUE(key.starts_with("core.")) << key;
      ConfEntry read = bare(key.substr(std::min<std::size_t>(5, key.size())));
      read.has_value = line_end != std::string_view::npos;
      if (read.has_value) read.value = item.substr(line_end + 1);
      entries.push_back(read);
    }
    return entries;
  }

  void write(const std::vector<ConfEntry>& entries) { ASSERT_TRUE(write_file_atomically(path_, conf_text(entries))); }

 private:
  TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/job.conf";
};

std::vector<std::string> nasty_arguments() {
  std::vector<std::string> nasty = {"",
                                    " ",
                                    "  lead",
                                    "trail  ",
                                    "in  side",
                                    "-x",
                                    "--",
                                    "\"",
                                    "\"\"",
                                    "'",
                                    "it's",
                                    "\\",
                                    "trail\\",
                                    "\\\\",
                                    "\\n",
                                    "\n",
                                    "\n\n",
                                    "a\nb\n",
                                    "\t",
                                    "\ttab\t",
                                    "\b",
                                    "\r",
                                    "a\r\nb",
                                    "trail\r",
                                    "\r\n",
                                    "#",
                                    "# comment",
                                    ";",
                                    "a;b#c",
                                    "[core]",
                                    "[x \"y\"]",
                                    "key = value",
                                    "=",
                                    "$HOME",
                                    "~",
                                    "~JOB_NAME",
                                    "%s",
                                    "\x1b[31m",
                                    "\x7f",
                                    "\xff\xfe",
                                    "\xc3\xa4",
                                    "\xe6\x97\xa5",
                                    "\xef\xbb\xbf marked",
                                    "\v\f",
                                    "a\\\nb",
                                    "\\\"",
                                    "\"\\",
                                    std::string(100'000, 'q')};
  std::string all;
  for (int byte = 1; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    nasty.emplace_back(1, static_cast<char>(byte));
    nasty.push_back(std::string("a") + static_cast<char>(byte) + "b");
  }
  nasty.push_back(all);
  nasty.emplace_back(all.rbegin(), all.rend());
  return nasty;
}

TEST_F(GitTest, ReadsBackNastyArguments) {
  std::vector<ConfEntry> entries = {entry("cmd", "/bin/echo")};
  for (const std::string& argument : nasty_arguments()) entries.push_back(entry("arg", argument));
  write(entries);
  const std::vector<ConfEntry> back = list();
  ASSERT_EQ(back.size(), entries.size());
  for (std::size_t i = 0; i < back.size(); ++i) EXPECT_EQ(back[i], entries[i]) << "argument " << i;
}

TEST_F(GitTest, AConfSurvivesGit) {
  Conf conf = full_conf();
  conf.args = nasty_arguments();
  conf.pre_cmd = "a\nb # \\";
  write(conf_to_entries(conf));
  const auto back = conf_from_entries(list());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, conf);
}

TEST_F(GitTest, BareKeysAreTrueForGitToo) {
  write({entry("cmd", "x"), bare("tty"), entry("keepalive", "")});
  EXPECT_EQ(run("--type=bool core.tty"), "true\n");
  EXPECT_EQ(run("--type=bool core.keepalive"), "false\n");
  const auto conf = conf_from_entries(list());
  ASSERT_TRUE(conf) << conf.error().message();
  EXPECT_TRUE(conf->tty);
  EXPECT_FALSE(conf->keepalive);
}

TEST_F(GitTest, EditsOneKeyAndLeavesTheRest) {
  Conf conf = full_conf();
  write(conf_to_entries(conf));
  ASSERT_TRUE(run("core.stop-timeout 42s"));
  conf.stop_timeout = std::chrono::seconds(42);
  const auto back = conf_from_entries(list());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, conf);
}

}  // namespace
}  // namespace usvc
