#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"
#include "base/memory.h"
#include "keeper/handover.h"

namespace usvc::keeper {
namespace {

Handover example() {
  Handover state;
  state.manager = 5;
  state.old_keeper = 6;
  state.old_manager = 7;
  state.guard = 8;
  state.items.push_back({.id = "web-1.7.0123abcd/pre",
                         .pid = 4242,
                         .flags = flag_child | flag_terminal,
                         .fds = {{Role::pidfd, 9}, {Role::output, 10}, {Role::log, 11}}});
  state.items.push_back({.id = carry_item,
                         .pid = 0,
                         .flags = 0,
                         .fds = {{Role::carry_read, 12}, {Role::carry_write, 13}, {Role::carry_owner, 14}}});
  state.items.push_back({.id = "usvc:lock", .pid = 0, .flags = 0, .fds = {{Role::lock, 15}}});
  state.items.push_back({.id = "usvc:listener", .pid = 0, .flags = 0, .fds = {{Role::listener, 16}}});
  state.items.push_back({.id = upgrade_item, .pid = 77, .flags = flag_trial, .fds = {{Role::token, 17}}});
  state.items.push_back({.id = "quiet.1.0123abcd", .pid = 1, .flags = 0, .fds = {}});
  state.items.push_back(
      {.id = "over.1.0123abcd", .pid = 2, .flags = 0, .ended_at_us = 1'764'180'000'000'123, .fds = {}});
  return state;
}

void expect_refused(const std::string& text, const std::string& why) {
  const auto state = from_text(text);
  ASSERT_FALSE(state) << text;
  EXPECT_NE(state.error().message().find(why), std::string::npos) << state.error().message();
}

TEST(Handover, ComesBackAsItWas) {
  const auto state = from_text(to_text(example()));
  ASSERT_TRUE(state) << state.error().message();
  EXPECT_EQ(*state, example()) << to_text(*state);
  const auto empty = from_text(to_text({}));
  ASSERT_TRUE(empty) << empty.error().message();
  EXPECT_EQ(*empty, Handover{});
}

TEST(Handover, IsPlainText) {
  EXPECT_NE(to_text(example()).find("item id=web-1.7.0123abcd/pre pid=4242 flags=child,terminal "
                                    "fds=pidfd:9,output:10,log:11\n"),
            std::string::npos)
      << to_text(example());
}

TEST(Handover, EveryRoleThatIsHeldAndEveryLastingFlagIsKept) {
  Handover state;
  HandedItem item{.id = "all", .pid = 1, .flags = 0, .fds = {}};
  for (int role = 1; role <= static_cast<int>(Role::token); ++role) item.fds.push_back({static_cast<Role>(role), role});
  item.flags = flag_child | flag_terminal | flag_trial | flag_upgraded | flag_rolled_back;
  state.items.push_back(item);
  const auto back = from_text(to_text(state));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, state) << to_text(*back);
}

TEST(Handover, WhatAnotherVersionAddsIsPassedOver) {
  const auto state = from_text(
      "state version=1 writer=9.9\n"
      "weather sun=1\n"
      "programs manager=5 helper=77\n"
      "item id=a.1.0123abcd colour=red pid=3 flags=child,shiny fds=output:4,socket:9\n"
      "end items=1 weather=1\n");
  ASSERT_TRUE(state) << state.error().message();
  Handover expected;
  expected.manager = 5;
  expected.items.push_back({.id = "a.1.0123abcd", .pid = 3, .flags = flag_child, .fds = {{Role::output, 4}}});
  EXPECT_EQ(*state, expected) << to_text(*state);
}

TEST(Handover, NoPrefixOfAStateIsTakenForOne) {
  const std::string text = to_text(example());
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(from_text(text.substr(0, size))) << size;
}

TEST(Handover, GarbageIsRefused) {
  expect_refused("", "cut off");
  expect_refused("\n", "no keeper's state");
  expect_refused(std::string(300, '\0') + "\n", "no keeper's state");
  expect_refused("state version=x\nend items=0\n", "no keeper's state");
  expect_refused("state version=2\nend items=0\n", "version 2");
  expect_refused("state version=1\nend items=1\n", "cut off");
  expect_refused("state version=1\nprograms manager=-3\nend items=0\n", "cannot be read");
  expect_refused("state version=1\nprograms manager=99999999999\nend items=0\n", "cannot be read");
  expect_refused("state version=1\nguard pidfd=x\nend items=0\n", "cannot be read");
  expect_refused("state version=1\nitem pid=1\nend items=1\n", "cannot be read");
  expect_refused("state version=1\nitem id=a pid=b\nend items=1\n", "cannot be read");
  expect_refused("state version=1\nitem id=a pid=1 fds=log\nend items=1\n", "cannot be read");
  expect_refused("state version=1\nitem id=a pid=1 fds=log:\nend items=1\n", "cannot be read");
}

TEST(Handover, DescriptorNamedTwiceIsRefused) {
  expect_refused("state version=1\nprograms manager=5\nitem id=a pid=1 fds=log:5\nend items=1\n", "twice");
}

TEST(Handover, GoesThroughAMemoryFileAndClosedDescriptorsAreFound) {
  Fd open_one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(open_one);
  Handover state;
  state.manager = open_one.get();
  const auto file = write_state(state);
  ASSERT_TRUE(file) << file.error().message();
  const auto back = read_state(*file);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, state);
  EXPECT_TRUE(read_state(*file)) << "the old keeper reads it again";
  open_one.reset();
  EXPECT_FALSE(read_state(*file));
}

}  // namespace
}  // namespace usvc::keeper
