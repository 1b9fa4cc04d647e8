#include <gtest/gtest.h>

#include "cli/boot_command.h"

namespace usvc {

namespace {

BootCommand plain() {
  return {.program = "/usr/bin/usvc", .home = {}, .allow_root = false, .variables = {}};
}

BootCommand with_home(const std::string& home) {
  return {.program = "/usr/bin/usvc", .home = home, .allow_root = true, .variables = {}};
}

TEST(BootCommand, AnInstanceWithAHomeOfItsOwnHasAUnitOfItsOwn) {
  EXPECT_EQ(unit_name(plain()), "usvc.service");
  // As systemd-escape --path writes it.
  EXPECT_EQ(unit_name(with_home("/srv/my-app x")), "usvc-srv-my\\x2dapp\\x20x.service");
  EXPECT_EQ(unit_name(with_home("/.dot/a.b:c_d")), "usvc-\\x2edot-a.b:c_d.service");
}

TEST(BootCommand, TheUnitSaysHowItIsToBeTreated) {
  const std::string text = unit_text(plain());
  for (const char* line : {"Type=notify\n", "Delegate=yes\n", "KillMode=process\n", "WantedBy=default.target\n",
                           "ExecStart=\"/usr/bin/usvc\" init --foreground\n", "ExecReload=\"/usr/bin/usvc\" upgrade\n",
                           "Environment=USVC_UNIT=%n\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(BootCommand, TheUnitCarriesItsHomeWhateverItIsCalled) {
  const std::string text = unit_text(with_home("/a \"b\"/50%/$HOME/\\"));
  EXPECT_NE(text.find(" --home \"/a \\\"b\\\"/50%%/$$HOME/\\\\\" --allow-root init"), std::string::npos) << text;
  BootCommand command = plain();
  command.variables = {{"XDG_STATE_HOME", "/x y%"}};
  EXPECT_NE(unit_text(command).find("Environment=\"XDG_STATE_HOME=/x y%%\"\n"), std::string::npos);
}

TEST(BootCommand, ACrontabKeepsAllOtherLines) {
  const std::string others = "# mine\nMAILTO=me\n@reboot other # usvc init\n5 * * * * job % x\n";
  const std::string with = with_cron_line(others, plain());
  EXPECT_EQ(with, others + "@reboot /usr/bin/usvc --quiet init # usvc init --boot\n");
  EXPECT_TRUE(has_cron_line(with, plain()));
  EXPECT_FALSE(has_cron_line(others, plain()));
  EXPECT_EQ(with_cron_line(with, plain()), with) << "once, however often it is asked for";
  EXPECT_EQ(without_cron_line(with, plain()), others);
  EXPECT_EQ(without_cron_line(others, plain()), others);
  EXPECT_EQ(with_cron_line("no end", plain()), "no end\n@reboot /usr/bin/usvc --quiet init # usvc init --boot\n");
}

TEST(BootCommand, TwoInstancesHaveTwoLines) {
  const BootCommand other = with_home("/srv/50%'s");
  const std::string both = with_cron_line(with_cron_line("", plain()), other);
  EXPECT_NE(both.find("--home '/srv/50\\%'\\''s' --allow-root"), std::string::npos) << both;
  EXPECT_TRUE(has_cron_line(both, other)) << both;
  EXPECT_EQ(without_cron_line(both, other), with_cron_line("", plain()));
  EXPECT_EQ(without_cron_line(both, plain()), with_cron_line("", other));
}

BootCommand with_state(const std::string& directory) {
  BootCommand command = plain();
  command.variables = {{"XDG_STATE_HOME", directory}};
  command.state_dir = directory;
  command.usual_state_dir = "/u/.local/state";
  return command;
}

TEST(BootCommand, InstancesWithStateDirectoriesOfTheirOwnHaveLinesOfTheirOwn) {
  BootCommand usual = with_state("/u/.local/state");
  const BootCommand said = usual;
  usual.variables.clear();
  const BootCommand other = with_state("/u/50% x's");
  const std::string both = with_cron_line(with_cron_line("", usual), other);
  EXPECT_TRUE(has_cron_line(both, usual)) << both;
  EXPECT_TRUE(has_cron_line(both, other)) << both;
  EXPECT_EQ(without_cron_line(both, other), with_cron_line("", usual));
  EXPECT_EQ(without_cron_line(both, usual), with_cron_line("", other));
  EXPECT_FALSE(has_cron_line(both, with_state("/u/more")));
  // It is the same instance, whether the variable says the usual directory or nothing does.
  EXPECT_TRUE(has_cron_line(with_cron_line("", said), usual));
  EXPECT_TRUE(has_cron_line(with_cron_line("", usual), said));
  EXPECT_TRUE(has_cron_line("@reboot XDG_STATE_HOME=/u/more/ /usr/bin/usvc --quiet init # usvc init --boot\n",
                            with_state("/u/more")));
}

TEST(BootCommand, ALineBreakIsRefused) {
  EXPECT_TRUE(check_boot_command(plain()).has_value());
  EXPECT_FALSE(check_boot_command(with_home("/a\nb")).has_value());
}

}  // namespace

}  // namespace usvc
