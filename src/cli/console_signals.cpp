#include "cli/console_signals.h"

#include <csignal>

namespace usvc {

Result<ConsoleSignals> ConsoleSignals::create() {
  // One who ignores it would never learn how a command ended.
  (void)std::signal(SIGCHLD, SIG_DFL);
  auto interrupt = Interrupt::create({SIGCHLD, SIGWINCH});
  if (!interrupt) return pass(interrupt);
  return ConsoleSignals(std::move(*interrupt));
}

void ConsoleSignals::take() {
  while (const auto taken = interrupt_.take()) {
    const int signal = taken->signal;
    if (signal == SIGWINCH) resized_ = true;
    // Ctrl-C is a key here. An INT that somebody sends is meant no other way.
    if (signal != SIGWINCH && signal != SIGCHLD && signal != SIGINT) leave_ = signal;
  }
}

}  // namespace usvc
