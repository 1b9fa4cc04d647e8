#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "base/signals.h"

namespace usvc {
namespace {

TEST(Signals, EveryNameIsReadBack) {
  for (int signal = 1; signal < NSIG; ++signal) {
    const std::string name = signal_name(signal);
    for (const std::string& text : {name, "SIG" + name, std::to_string(signal)}) {
      // A signal without a name is its number, and SIG32 is no way to write that.
      if (text.starts_with("SIG") && name == std::to_string(signal)) continue;
      const auto parsed = parse_signal(text);
      ASSERT_TRUE(parsed) << text;
      EXPECT_EQ(*parsed, signal) << text;
    }
  }
}

TEST(Signals, HaveTheirUsualNames) {
  EXPECT_EQ(signal_name(SIGTERM), "TERM");
  EXPECT_EQ(signal_name(SIGKILL), "KILL");
  EXPECT_EQ(signal_name(SIGSEGV), "SEGV");
  EXPECT_EQ(signal_name(SIGRTMIN), "RTMIN");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "RTMIN+3");
  EXPECT_EQ(signal_name(32), "32");
  EXPECT_EQ(signal_name(0), "0");
  EXPECT_EQ(signal_name(999), "999");
  EXPECT_EQ(signal_name(-1), "-1");
}

TEST(Signals, AreReadInAnyCaseAndByOtherNames) {
  const std::vector<std::pair<std::string, int>> table = {{"term", SIGTERM},
                                                          {"SigHup", SIGHUP},
                                                          {"IOT", SIGABRT},
                                                          {"CLD", SIGCHLD},
                                                          {"IO", SIGIO},
                                                          {"POLL", SIGPOLL},
                                                          {"rtmin+2", SIGRTMIN + 2},
                                                          {"RTMAX", SIGRTMAX},
                                                          {"SIGRTMAX-1", SIGRTMAX - 1},
                                                          {"09", SIGKILL}};
  for (const auto& [text, expected] : table) {
    const auto parsed = parse_signal(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, expected) << text;
  }
}

TEST(Signals, RefuseNonsense) {
  for (const char* text : {"", "0", "65", "-1", "SIG", "SIG9", "FOO", "TERM ", "RTMIN+", "RTMIN+99", "RTMIN-1",
                           "RTMAX+1", "RTMIN+-1", "15x", "99999999999999999999"}) {
    const auto parsed = parse_signal(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::usage) << text;
  }
}

TEST(Signals, SuggestTheNearest) {
  EXPECT_EQ(parse_signal("TREM").error().message(), "no signal is called 'TREM' (did you mean 'TERM'?)");
  EXPECT_EQ(parse_signal("banana").error().hint(), "a name like TERM or a number from 1 to 64");
}

}  // namespace
}  // namespace usvc
