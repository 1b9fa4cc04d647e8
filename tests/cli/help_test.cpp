// usvc help, -h, --version.
#include <regex>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

class HelpTest : public CliTest {
 protected:
  void TearDown() override {
    EXPECT_FALSE(exists(home())) << "help must not touch the disk";
    CliTest::TearDown();
  }
};

const char* const commands[] = {"init",   "start",  "stop",     "restart", "status", "jobs",    "pidof",  "log",
                                "events", "why",    "conf",     "clean",   "save",   "load",    "rotate", "run",
                                "wait",   "signal", "shutdown", "vars",    "help",   "console", "attach", "top"};

TEST_F(HelpTest, NamesEveryCommand) {
  for (const Args& args : {Args{}, Args{"help"}, Args{"-h"}, Args{"--help"}}) {
    const Output output = ok(args);
    EXPECT_EQ(output.err, "");
    for (const char* command : commands) {
      EXPECT_TRUE(std::regex_search(output.out, std::regex("\\b" + std::string(command) + "\\b"))) << command << "\n"
                                                                                                   << output;
    }
  }
}

TEST_F(HelpTest, EveryCommandHasItsOwn) {
  for (const char* command : commands) {
    if (std::string(command) == "help") continue;
    const Output output = ok({"help", command});
    EXPECT_TRUE(contains(output.out, command)) << output;
    EXPECT_EQ(ok({command, "-h"}).out, output.out) << command;
  }
}

TEST_F(HelpTest, StartsHelpNamesItsOptions) {
  const std::string text = ok({"help", "start"}).out;
  for (const char* option :
       {"-n", "-g", "--name", "-1", "--once", "--restart", "-a", "--no-tty", "--cwd", "-e", "--env-file", "--pre",
        "--post", "--stop-signal", "--stop-timeout", "--no-runaway-protect", "--settle"}) {
    EXPECT_TRUE(contains(text, option)) << option << "\n" << text;
  }
}

TEST_F(HelpTest, HelpOfAnAliasIsThatOfTheCommand) {
  EXPECT_EQ(ok({"help", "ls"}).out, ok({"help", "status"}).out);
}

TEST_F(HelpTest, UnknownCommandGetsASuggestion) {
  const Output output = fails(2, {"help", "stauts"});
  EXPECT_TRUE(contains(output.err, "status")) << output;
}

TEST_F(HelpTest, VersionIsOneLine) {
  const Output output = ok({"--version"});
  EXPECT_TRUE(std::regex_match(output.out, std::regex("usvc \\d+\\.\\d+\\.\\d+\\S*\n"))) << output;
}

}  // namespace

}  // namespace usvc::test
