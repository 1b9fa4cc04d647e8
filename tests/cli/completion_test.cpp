// usvc complete, and the completions of the shells that ask it.
#include <algorithm>
#include <filesystem>

#include "cli/cli_test.h"
#include "cli/pty.h"

namespace usvc::test {

namespace {

class CompletionTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    const std::string bin = program().substr(0, program().rfind('/'));
    share_ = bin.substr(0, bin.rfind('/')) + "/share";
    environment()["PATH"] = bin + ":" + environment()["PATH"];
    environment()["NO_COLOR"] = "1";
  }

  // The candidates without what is said about them.
  Args complete(const Args& words, const Args& options = {}) {
    Args args = with("complete", options);
    args.emplace_back("--");
    args.insert(args.end(), words.begin(), words.end());
    Args found;
    for (const auto& line : lines_of(ok(args).out)) found.push_back(line.substr(0, line.find('\t')));
    return found;
  }
  static bool has(const Args& found, const std::string& word) {
    return std::find(found.begin(), found.end(), word) != found.end();
  }
  void start_jobs() {
    start({"-g", "web", "-n", "2", "--", probe(), "serve"});
    start({"--name", "db", "--", probe(), "serve"});
  }

  void make_files() {
    std::filesystem::create_directory(path("sub"));
    write("settings.env", "A=1\n");
    write("sub/Procfile", "");
    write("sub/script.log", "");
  }

  std::string share_;
};

TEST_F(CompletionTest, CommandsAndTheirAliases) {
  EXPECT_EQ(complete({"sto"}), Args{"stop"});
  EXPECT_EQ(complete({"tai"}), Args{"tail"});
  EXPECT_EQ(complete({"help", "rot"}), Args{"rotate"});
  const Args all = complete({""});
  EXPECT_TRUE(has(all, "start"));
  EXPECT_TRUE(has(all, "help"));
  EXPECT_FALSE(has(all, "complete"));
  EXPECT_FALSE(has(all, "ls")) << "aliases are told when one is begun";
  EXPECT_FALSE(exists(home())) << "looking makes nothing";
}

TEST_F(CompletionTest, OptionsAndTheirValues) {
  EXPECT_TRUE(has(complete({"log", "-"}), "--follow"));
  EXPECT_TRUE(has(complete({"log", "-"}), "-f"));
  EXPECT_EQ(complete({"log", "--fol"}), Args{"--follow"});
  EXPECT_EQ(complete({"start", "--rest"}), Args{"--restart"});
  EXPECT_EQ(complete({"start", "--restart", ""}), (Args{"always", "on-failure", "never"}));
  EXPECT_EQ(complete({"start", "--restart=a"}), Args{"--restart=always"});
  EXPECT_EQ(complete({"start", "--stop-signal", "HU"}), Args{"HUP"});
  EXPECT_EQ(complete({"start", "--cwd", ""}), Args{":directories"});
  EXPECT_EQ(complete({"start", "--env-file", ""}), Args{":files"});
  EXPECT_EQ(complete({"wait", "--for", "st"}), Args{"stopped"});
  EXPECT_EQ(complete({"--color", "n"}), Args{"never"});
  EXPECT_EQ(complete({"start", "--", "sh", "-"}), Args{":files"}) << "what follows CMD is the job's";
}

TEST_F(CompletionTest, OptionsThatACommandRefusesAreNotOffered) {
  EXPECT_EQ(complete({"run", "--rest"}), Args{});
  EXPECT_EQ(complete({"top", "--js"}), Args{});
  EXPECT_EQ(complete({"status", "--js"}), Args{"--json"});
}

TEST_F(CompletionTest, AsJsonItIsOneDocument) {
  const auto found = json({"complete", "--", "sto"});
  EXPECT_EQ(found.at("words").at(0).at("word"), "stop");
  EXPECT_EQ(found.at("files"), false);
}

TEST_F(CompletionTest, JobsGroupsAndStates) {
  start_jobs();
  EXPECT_EQ(complete({"stop", "we"}), (Args{"web-1", "web-2", "web"}));
  EXPECT_EQ(complete({"stop", "web-1", "we"}), (Args{"web-2", "web"}));
  EXPECT_EQ(complete({"why", ""}), (Args{"db", "web-1", "web-2"}));
  EXPECT_EQ(complete({"status", "state:ru"}), Args{"state:running"});
  EXPECT_EQ(complete({"start", "-g", "w"}), Args{"web"});
  EXPECT_TRUE(has(complete({"start", ""}), "db"));
  EXPECT_TRUE(has(complete({"start", ""}), ":programs"));
  EXPECT_EQ(complete({"signal", "db", "TER"}), Args{"TERM"});
  EXPECT_EQ(complete({"kill", "-TER"}), Args{"-TERM"});
  EXPECT_EQ(complete({"kill", "-TERM", "d"}), (Args{"db", "dead"}));
}

TEST_F(CompletionTest, KeysAndValuesOfConfs) {
  start_jobs();
  EXPECT_EQ(complete({"conf", "db", "stop-t"}), Args{"stop-timeout"});
  EXPECT_EQ(complete({"conf", "db", "keepalive", "t"}), Args{"true"});
  EXPECT_EQ(complete({"conf", "db", "core.restart", "n"}), Args{"never"});
}

TEST_F(CompletionTest, WithoutAnInstanceItIsWhatIsOnDisk) {
  start_jobs();
  ok({"shutdown"});
  EXPECT_EQ(complete({"start", "we"}), (Args{"web-1", "web-2", "web", ":programs"}));
  EXPECT_TRUE(own_processes().empty()) << "no instance is started for it";
}

TEST_F(CompletionTest, AnotherInstanceIsAskedThatTheLineNames) {
  start_jobs();
  environment()["USVC_HOME"] = path("other");
  EXPECT_EQ(complete({"--home", home(), "why", "d"}), Args{"db"});
  EXPECT_EQ(complete({"--home=" + home(), "why", "d"}), Args{"db"});
  EXPECT_EQ(complete({"why", "d"}), Args{});
  EXPECT_EQ(complete({"--home", "~" + home().substr(directory().size()), "why", "d"}), Args{"db"});
  environment()["USVC_HOME"] = home();
}

TEST_F(CompletionTest, ALineIsTakenApartAsAShellDoes) {
  EXPECT_EQ(ok({"complete", "--line", "usvc start --restart 'al"}).out, "always\n");
  EXPECT_EQ(ok({"complete", "--breaks", " :=", "--line", "usvc start --restart=al"}).out, "always\n");
  EXPECT_EQ(ok({"complete", "--line", "usvc"}).out, "");
}

TEST_F(CompletionTest, Bash) {
  start_jobs();
  Pty bash({"/bin/bash", "--norc", "--noprofile", "-i"}, environment(), path(""), {24, 200});
  bash.type("PS1='$ '; source " + share_ + "/bash-completion/completions/usvc; echo rea''dy\r");
  bash.shows("ready");
  bash.type("usvc pido\tweb-\t\t");
  bash.shows("web-1");
  bash.shows("web-2");
  bash.type("1\r");
  bash.shows(std::to_string(pid_of("web-1")) + "\r\n");
  bash.type("usvc status state:runn\t\r");
  bash.shows("web-2");
  bash.type("usvc conf db stop-t\t\r");
  bash.shows("10s");
  bash.type("usvc run --color=nev\t -- echo do''ne\r");
  bash.shows("done\r\n");
  bash.shows("$ ");  // until then what is typed is the job's
  bash.type("exit\r");
  bash.finish();
}

TEST_F(CompletionTest, Zsh) {
  start_jobs();
  make_files();
  Pty zsh({"/bin/zsh", "-f", "-i"}, environment(), path(""), {24, 200});
  zsh.type("PS1='$ '; fpath=(" + share_ +
           "/zsh/site-functions $fpath); autoload -U compinit; compinit -u -D; echo rea''dy\r");
  zsh.shows("ready");
  zsh.type("usvc pido\tweb-1\r");
  zsh.shows(std::to_string(pid_of("web-1")));
  zsh.type("usvc conf db stop-t\t\r");
  zsh.shows("10s");
  zsh.type("usvc status state:runn\t\r");
  zsh.shows("web-2");
  zsh.type("usvc why \t");
  zsh.shows("web-2");
  zsh.type("db\r");
  zsh.shows("db is");
  zsh.type("usvc start --cwd=su\t --env-file=se\t --name new -- \"$PWD\"/probe serve\r");
  zsh.shows("new started");
  EXPECT_TRUE(contains(read(conf_path("new")), "cwd = " + path("sub"))) << read(conf_path("new"));
  zsh.type("exit\r");
  zsh.finish();
}

TEST_F(CompletionTest, Fish) {
  start_jobs();
  const auto fish = [&](const std::string& line) {
    const std::string source = "source " + share_ + "/fish/vendor_completions.d/usvc.fish; ";
    return run_program({"/usr/bin/fish", "--no-config", "-c", source + "complete -C '" + line + "'"}).out;
  };
  EXPECT_TRUE(contains(fish("usvc sto"), "stop\tstop jobs")) << fish("usvc sto");
  EXPECT_TRUE(contains(fish("usvc stop we"), "web-1\tweb, running")) << fish("usvc stop we");
  EXPECT_TRUE(contains(fish("usvc stop web-1 we"), "web-2")) << fish("usvc stop web-1 we");
  EXPECT_TRUE(contains(fish("usvc conf db stop-t"), "stop-timeout"));
  EXPECT_TRUE(contains(fish("usvc start --restart=ne"), "--restart=never")) << fish("usvc start --restart=ne");
  EXPECT_TRUE(contains(fish("usvc status state:ru"), "state:running")) << fish("usvc status state:ru");
  make_files();
  EXPECT_EQ(fish("usvc start --env-file=se"), "--env-file=settings.env\n");
  EXPECT_EQ(fish("usvc start --env-file se"), "settings.env\n");
  EXPECT_EQ(fish("usvc start --cwd=s"), "--cwd=sub/\n");
  EXPECT_EQ(fish("usvc load ~/sub/Proc"), "~/sub/Procfile\n");
  EXPECT_EQ(fish("usvc start --log ~/sub/scr"), "~/sub/script.log\n");
  EXPECT_TRUE(contains(fish("usvc stop \"we"), "web-1")) << fish("usvc stop \"we");
  EXPECT_TRUE(contains(fish("usvc --home ~/h stop web-1 we"), "web-2"));
}

}  // namespace

}  // namespace usvc::test
