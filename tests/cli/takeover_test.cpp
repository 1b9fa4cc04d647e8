// usvc load takes over sets of other programs, usvc save --as writes them.
#include <unistd.h>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class TakeoverTest : public CliTest {
 protected:
  void forget() {
    ok({"stop", "all"});
    ok({"clean", "all"});
    ASSERT_EQ(names({}), Args{});
  }
};

TEST_F(TakeoverTest, AProcfileAndItsEnvFile) {
  write(".env", "GREETING=hello\n");
  write("Procfile", "web: " + probe() + " serve\nworker: echo $GREETING; exec " + probe() + " serve\n");
  ok({"load", path("Procfile")});
  EXPECT_EQ(names({}), (Args{"web", "worker"}));
  EXPECT_TRUE(wait_state("web", "running"));
  EXPECT_TRUE(wait_state("worker", "running"));
  EXPECT_EQ(status("web").cmd, (Args{probe(), "serve"}));
  EXPECT_TRUE(wait_until(std::chrono::seconds(20), [&] { return contains(run({"log", "worker"}).out, "hello"); }));
}

TEST_F(TakeoverTest, AnIniOfSupervisord) {
  write("s.conf", "[program:web]\ncommand=" + probe() +
                      " serve\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)d\n"
                      "stopwaitsecs=7\npriority=1\n[program:idle]\ncommand=" +
                      probe() +
                      " serve\nautostart=false\n"
                      "[group:site]\nprograms=web,idle\n");
  const Output out = ok({"load", path("s.conf")});
  EXPECT_TRUE(contains(out.err, "s.conf:6: web: priority: ")) << out;
  EXPECT_EQ(names({"site"}), (Args{"idle", "web_0", "web_1"}));
  EXPECT_TRUE(wait_state("web_1", "running"));
  EXPECT_EQ(ok({"conf", "web_0", "stop-timeout"}).out, "7s\n");
  EXPECT_EQ(status("idle").state, "stopped");
  EXPECT_FALSE(status("idle").wanted);
  ok({"start", "idle"});
  EXPECT_TRUE(wait_state("idle", "running"));
}

TEST_F(TakeoverTest, AnEcosystemFileOfPm2) {
  write("ecosystem.config.json", R"({"apps": [{"name": "api", "interpreter": "none", "script": ")" + probe() +
                                     R"(", "args": "serve", "instances": 2, "watch": true}]})");
  const Output out = ok({"load", path("ecosystem.config.json")});
  EXPECT_TRUE(contains(out.err, "api: watch: ")) << out;
  EXPECT_EQ(names({"api"}), (Args{"api-1", "api-2"}));
  EXPECT_TRUE(wait_state("api-2", "running"));
  write("ecosystem.config.js", "module.exports = {}\n");
  EXPECT_TRUE(contains(fails(1, {"load", path("ecosystem.config.js")}).err, "node -p"));
}

TEST_F(TakeoverTest, TheYamlOfProcessCompose) {
  write("p.yaml", "processes:\n  web:\n    command: \"" + probe() +
                      " serve\"\n    depends_on: {idle: {}}\n  idle:\n    command: " + probe() +
                      " serve\n    disabled: true\n");
  const Output out = ok({"load", path("p.yaml")});
  EXPECT_TRUE(contains(out.err, "p.yaml:4: web: depends_on: ")) << out;
  EXPECT_TRUE(wait_state("web", "running"));
  EXPECT_EQ(status("idle").state, "stopped");
}

TEST_F(TakeoverTest, DryRunStartsNothingAndSaysWhatItWould) {
  write("Procfile", "web: " + probe() + " serve\n");
  const Output out = ok({"load", "--dry-run", path("Procfile")});
  EXPECT_TRUE(contains(out.out, "[group \"web\"]\n\tjob = web\n")) << out;
  EXPECT_EQ(names({}), Args{});
  ok({"load", "-"}, {.input = out.out});
  EXPECT_TRUE(wait_state("web", "running"));
}

TEST_F(TakeoverTest, WhatCannotBeTakenOverFailsByFileAndLine) {
  write("x", "web: " + probe() + " serve\nnonsense\n");
  EXPECT_TRUE(contains(fails(1, {"load", "--from", "procfile", path("x")}).err, "x:2: "));
  write("y.json", R"({"apps": [{"name": "a", "script": "no-such-program-anywhere"}]})");
  EXPECT_TRUE(contains(fails(1, {"load", path("y.json")}).err, "a: left out: "));
  EXPECT_EQ(run({"load", "--from", "docker", path("x")}).status, 2);
  EXPECT_EQ(names({}), Args{});
}

TEST_F(TakeoverTest, SavedAsAProcfileItIsLoadedAgain) {
  start({"--name", "odd", "-e", "OWN=a b", "--cwd", path(""), "--", probe(), "serve", "two words", "it's", "$x"});
  start({"--name", "web", "--cwd", path(""), "--stop-signal", "INT", "--", probe(), "serve"});
  const auto cmd = status("odd").cmd;
  const Output out = ok({"save", "--as", "procfile", path("Procfile")});
  EXPECT_TRUE(contains(out.err, "web: stop-signal = INT: ")) << out;
  EXPECT_TRUE(contains(read(path("Procfile")), "odd: ")) << read(path("Procfile"));
  forget();
  ok({"load", path("Procfile")});
  EXPECT_EQ(names({}), (Args{"odd", "web"}));
  EXPECT_TRUE(wait_state("odd", "running"));
}

TEST_F(TakeoverTest, UnitsPassSystemdsOwnCheck) {
  start({"--name",         "web",    "-e",      "OWN=50% $x", "--pre",   "echo $HOME \"50%\"",
         "--post",         "true",   "--umask", "027",        "--limit", "nofile 100 200",
         "--stop-timeout", "1500ms", "--",      probe(),      "serve",   "two words",
         "100% $x",        ";",      "\"",      "\\"});
  ok({"save", "--as", "systemd", path("units")});
  const std::string text = read(path("units/web.service"));
  EXPECT_TRUE(contains(text, "LimitNOFILE=100:200\n")) << text;
  EXPECT_TRUE(contains(ok({"save", "--as", "systemd", "-"}).out, "# web.service\n[Unit]\n"));
  if (access("/usr/bin/systemd-analyze", X_OK) != 0) GTEST_SKIP() << "there is no systemd-analyze";
  // systemd-analyze wants the place of a user manager, though it asks none
  const Output verified = run_program({"/usr/bin/env", "XDG_RUNTIME_DIR=" + path(""), "/usr/bin/systemd-analyze",
                                       "verify", "--user", "--man=no", path("units/web.service")});
  EXPECT_EQ(verified.status, 0) << verified << text;
  EXPECT_FALSE(contains(verified.err, "web.service")) << verified << text;
}

}  // namespace

}  // namespace usvc::test
