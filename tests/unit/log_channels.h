// What a job writes to and the capture reads from: pipes and terminals.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "base/files.h"

namespace usvc::testing_log {

struct Ends {
  Fd read;  // non-blocking
  Fd write;
};

inline Ends make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  EXPECT_EQ(::fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

// A raw one: bytes come out as they go in.
inline Ends make_terminal() {
  Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 64> path{};
  EXPECT_EQ(::grantpt(master.get()) | ::unlockpt(master.get()) | ::ptsname_r(master.get(), path.data(), path.size()),
            0);
  auto slave = open_file(path.data(), O_RDWR | O_NOCTTY);
  EXPECT_TRUE(slave);
  termios modes{};
  EXPECT_EQ(::tcgetattr(slave->get(), &modes), 0);
  ::cfmakeraw(&modes);
  EXPECT_EQ(::tcsetattr(slave->get(), TCSANOW, &modes), 0);
  return {std::move(master), std::move(*slave)};
}

}  // namespace usvc::testing_log
