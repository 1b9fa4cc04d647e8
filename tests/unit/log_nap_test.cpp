#include <gtest/gtest.h>

#include "log/nap.h"

namespace usvc {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t room = 64'000;

Nap::Length after(Nap& nap, std::size_t bytes) {
  nap.found(bytes, room);
  return nap.next();
}

TEST(Nap, WhatComesNowAndThenIsLetPileUpForAMillisecond) {
  Nap nap;
  EXPECT_EQ(after(nap, 10), 1000us);
  EXPECT_EQ(after(nap, 0), 0us) << "there is nothing: it is waited for";
  EXPECT_EQ(after(nap, 10), 1000us);
}

TEST(Nap, AWriterThatFillsItsBufferIsNotLetStand) {
  Nap nap;
  (void)after(nap, 10);
  EXPECT_EQ(after(nap, room), 0us);
  EXPECT_EQ(after(nap, 10), 500us);
  for (int i = 0; i < 20; ++i) (void)after(nap, room / 2);
  EXPECT_EQ(after(nap, room / 4), 0us);
}

TEST(Nap, ItGrowsAgainWhenLittleComes) {
  Nap nap;
  for (int i = 0; i < 20; ++i) (void)after(nap, room);
  Nap::Length last = after(nap, 10);
  for (int i = 0; i < 20; ++i) last = after(nap, 10);
  EXPECT_EQ(last, Nap::longest);
}

TEST(Nap, TheFullestBufferCounts) {
  Nap nap;
  nap.found(room, room);
  nap.found(10, room);
  EXPECT_EQ(nap.next(), 0us);
  nap.found(10, room);
  EXPECT_EQ(nap.next(), 500us);
}

TEST(Nap, WhatFillsASmallBufferIsLittleInALargeOne) {
  Nap nap;
  nap.found(room, 16 * room);
  EXPECT_EQ(nap.next(), Nap::longest);
}

}  // namespace
}  // namespace usvc
