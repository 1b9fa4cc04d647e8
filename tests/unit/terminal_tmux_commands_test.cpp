#include <gtest/gtest.h>

#include "terminal/tmux_commands.h"

namespace usvc::tmux {

namespace {

const Session session{.name = "usvc", .program = {"/opt/usvc"}, .read_only = false, .has_console = true};
const Words inspect_first = {"move-window", "-r", "-t", "=usvc:"};

TEST(TmuxCommands, WhatIsInStepIsLeftAlone) {
  EXPECT_TRUE(bring_in_step(session, {{"@0", first_mark}, {"@1", "web-1"}}, {"web-1"}).empty());
  EXPECT_TRUE(bring_in_step(session, {{"@0", first_mark}}, {}).empty());
}

TEST(TmuxCommands, ANewJobGetsItsPlaceInTheOrder) {
  const auto commands =
      bring_in_step(session, {{"@0", first_mark}, {"@1", "web-1"}, {"@3", "web-10"}}, {"web-1", "web-2", "web-10"});
  const std::vector<Words> expected = {
      inspect_first,
      {"new-window", "-d", "-a", "-t", "=usvc:1", "-n", "web-2", "/opt/usvc", "attach", "web-2"},
      {"set-option", "-w", "-t", "=usvc:2", "@usvc_window", "web-2"}};
  EXPECT_EQ(commands, expected);
}

TEST(TmuxCommands, GhostsAndDoublesGo) {
  const auto commands =
      bring_in_step(session, {{"@0", first_mark}, {"@1", "gone"}, {"@2", "web-1"}, {"@3", "web-1"}}, {"web-1"});
  const std::vector<Words> expected = {inspect_first, {"kill-window", "-t", "@1"}, {"kill-window", "-t", "@3"}};
  EXPECT_EQ(commands, expected);
}

TEST(TmuxCommands, TheFirstWindowComesBackBeforeTheLastGhostGoes) {
  const auto commands = bring_in_step(session, {{"@1", "gone"}}, {});
  ASSERT_EQ(commands.size(), 5U);
  EXPECT_EQ(commands[1].front(), "new-window");
  EXPECT_EQ(commands[2], (Words{"set-option", "-w", "-t", "=usvc:1", "@usvc_window", first_mark}));
  EXPECT_EQ(commands[3], (Words{"swap-window", "-d", "-s", "=usvc:0", "-t", "=usvc:1"}));
  EXPECT_EQ(commands[4], (Words{"kill-window", "-t", "@1"}));
}

TEST(TmuxCommands, OtherPeoplesWindowsAreLeftAlone) {
  EXPECT_TRUE(bring_in_step(session, {{"@0", first_mark}, {"@7", ""}}, {}).empty());
}

TEST(TmuxCommands, ReadOnlyIsPassedOn) {
  const Session looking = sessions_of("/opt/usvc", true).back();
  ASSERT_TRUE(looking.read_only);
  const auto commands = bring_in_step(looking, {{"@0", first_mark}}, {"web"});
  ASSERT_EQ(commands.size(), 3U);
  EXPECT_EQ(commands[1], (Words{"new-window", "-d", "-a", "-t", "=usvc-read-only:0", "-n", "web", "/opt/usvc", "attach",
                                "--read-only", "web"}));
}

TEST(TmuxCommands, Listing) {
  const auto windows = parse_windows("@0 :first\n@12 web-1\n@3 \n@4\nsome complaint\n");
  ASSERT_EQ(windows.size(), 4U);
  EXPECT_EQ(windows[0].mark, first_mark);
  EXPECT_EQ(windows[1].id, "@12");
  EXPECT_EQ(windows[1].mark, "web-1");
  EXPECT_EQ(windows[2].mark, "");
  EXPECT_EQ(windows[3].id, "@4");
}

TEST(TmuxCommands, Quoting) {
  EXPECT_EQ(line_of({"new-window", "it's $HOME #{x} \"y\" ;"}), "'new-window' 'it'\\''s $HOME #{x} \"y\" ;'\n");
  EXPECT_EQ(without_formats("a#{b}"), "a##{b}");
}

TEST(TmuxCommands, Troubles) {
  EXPECT_EQ(trouble_of(0, ""), Trouble::none);
  EXPECT_EQ(trouble_of(1, "no server running on /x\n"), Trouble::no_server);
  EXPECT_EQ(trouble_of(1, "error connecting to /x (No such file or directory)\n"), Trouble::no_server);
  EXPECT_EQ(trouble_of(1, "can't find session: usvc\n"), Trouble::no_session);
  EXPECT_EQ(trouble_of(1, "duplicate session: usvc\n"), Trouble::duplicate);
  EXPECT_EQ(trouble_of(1, "protocol version mismatch (client 8, server 7)\n"), Trouble::unusable);
  EXPECT_EQ(trouble_of(1, "server exited unexpectedly\n"), Trouble::unusable);
  EXPECT_EQ(trouble_of(1, "unknown option\n"), Trouble::other);
}

TEST(TmuxCommands, OuterSocket) {
  EXPECT_EQ(outer_socket("/tmp/tmux-0/default,123,0"), "/tmp/tmux-0/default");
  EXPECT_EQ(outer_socket("/tmp/a,b/s,123,0"), "/tmp/a,b/s");
  EXPECT_EQ(outer_server("/tmp/a,b/s,123,0"), 123);
  for (const char* odd : {"", ",", "x", "x,1", ",,"}) {
    EXPECT_EQ(outer_socket(odd), "") << odd;
    EXPECT_FALSE(outer_server(odd)) << odd;
  }
}

TEST(TmuxCommands, TheHostsNameIsNoFormat) {
  const std::string text = configuration("box #(rm -rf) it's");
  EXPECT_NE(text.find("'[box ##(rm -rf) it'\\''s] '"), std::string::npos) << text;
}

}  // namespace

}  // namespace usvc::tmux
