// The manager's end of its talk with a keeper, whose part the test plays.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/message.h"
#include "manager/keeper_link.h"
#include "manager/readable.h"

namespace usvc {
namespace {

using namespace std::chrono_literals;
using keeper::Kind;
using keeper::Role;

class KeeperLinkTest : public testing::Test {
 protected:
  void SetUp() override {
    auto pair = make_socket_pair(SOCK_SEQPACKET);
    ASSERT_TRUE(pair);
    keeper_ = std::move(pair->theirs);
    ASSERT_EQ(::fcntl(keeper_.get(), F_SETFL, O_NONBLOCK), 0);
    link_.emplace(io_, std::move(pair->ours), Fd(), std::vector<std::string>());
    KeeperLink::Events events;
    events.exited = [](const keeper::Message& /*exit*/) {};
    events.lost = [this] { lost_ = true; };
    events.not_held = [this](const std::string& id) { not_held_.push_back(id); };
    events.silent = [this](bool silent) { silences_.push_back(silent); };
    events.upgraded = [](std::uint32_t /*flags*/) {};
    link_->run(std::move(events));
    auto null = open_file("/dev/null", O_RDONLY);
    ASSERT_TRUE(null);
    null_ = std::move(*null);
  }
  // Until that is so; false after a long while.
  template <class Condition>
  bool runs_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      io_.restart();
      (void)io_.run_for(20ms);
    }
    return true;
  }
  void hold_surely(const std::string& id) {
    const auto hold = [](KeeperLinkTest* test, std::string item) -> asio::awaitable<void> {
      std::vector<Lent> lent;
      lent.push_back({Role::log, test->null_});
      test->held_ = co_await test->link_->hold_surely(std::move(item), std::move(lent), 0, false);
    };
    asio::co_spawn(io_, hold(this, id), must_not_throw);
  }
  // What the manager has said.
  std::optional<keeper::Message> take() {
    alignas(keeper::Message) std::array<std::byte, sizeof(keeper::Message)> buffer{};
    auto received = receive_message(keeper_, buffer);
    if (!received) return std::nullopt;
    auto checked = keeper::check(std::span(buffer).first(received->size), std::move(received->fds));
    if (!checked) return std::nullopt;
    return checked->message;
  }
  void answer(keeper::Message message, Kind kind) {
    message.kind = kind;
    message.fd_count = 0;
    EXPECT_TRUE(send_message(keeper_, keeper::bytes_of(message), {}));
  }

  asio::io_context io_{1};
  Fd keeper_;
  Fd null_;
  std::optional<KeeperLink> link_;
  std::optional<Status> held_;
  std::vector<std::string> not_held_;
  std::vector<bool> silences_;
  bool lost_ = false;
};

TEST_F(KeeperLinkTest, AnswerIsWaitedFor) {
  hold_surely("a");
  std::optional<keeper::Message> asked;
  ASSERT_TRUE(runs_until([&] { return (asked = take()).has_value(); }));
  EXPECT_FALSE(held_);
  answer(*asked, Kind::held);
  ASSERT_TRUE(runs_until([&] { return held_.has_value(); }));
  EXPECT_TRUE(*held_);
  EXPECT_TRUE(silences_.empty());
}

TEST_F(KeeperLinkTest, SilentOneIsNotWaitedForAndItsLateRefusalIsTold) {
  hold_surely("a");
  ASSERT_TRUE(runs_until([&] { return held_.has_value(); }));
  EXPECT_TRUE(*held_);
  EXPECT_TRUE(link_->silent());
  const auto asked = take();
  ASSERT_TRUE(asked) << "it is in the socket";
  answer(*asked, Kind::not_held);
  ASSERT_TRUE(runs_until([&] { return !not_held_.empty(); }));
  EXPECT_EQ(not_held_, std::vector<std::string>({"a"}));
  EXPECT_EQ(silences_, (std::vector<bool>{true, false}));
}

TEST_F(KeeperLinkTest, WhatTheKernelHasNoRoomForIsWaitedForAllTheSame) {
  for (int i = 0; link_->idle() && i < 100'000; ++i) ASSERT_TRUE(link_->hold("filler", {}));
  ASSERT_FALSE(link_->idle());
  hold_surely("a");
  ASSERT_TRUE(runs_until([&] { return !silences_.empty(); }));
  EXPECT_FALSE(held_) << "a kill of the manager would lose it";
  EXPECT_TRUE(runs_until([&] {
    (void)take();
    return held_.has_value();
  }));
}

TEST_F(KeeperLinkTest, DeadKeeperIsNoErrorOfTheSender) {
  keeper_.reset();
  EXPECT_TRUE(link_->hold("a", {{Role::log, null_}}));
  EXPECT_TRUE(runs_until([&] { return lost_; }));
}

TEST_F(KeeperLinkTest, DescriptorThatIsNoneIsNotTakenForADeadKeeper) {
  try {
    (void)link_->hold("a", {{Role::log, FdRef(-1)}});
    FAIL() << "it was taken for sent";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EBADF);
  }
  EXPECT_FALSE(lost_);
}

}  // namespace
}  // namespace usvc
