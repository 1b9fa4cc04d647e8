// The signals a console lives with: it leaves by some, and others tell it something.
#pragma once

#include <optional>
#include <utility>

#include "base/error.h"
#include "cli/interrupt.h"

namespace usvc {

class ConsoleSignals {
 public:
  static Result<ConsoleSignals> create();
  [[nodiscard]] FdRef fd() const { return interrupt_.fd(); }  // readable: take()
  void take();
  // The one by which it is to leave.
  [[nodiscard]] std::optional<int> leave() const { return leave_; }
  // Whether the terminal has got another size since resized() was last asked.
  [[nodiscard]] bool other_size() const { return resized_; }
  bool resized() { return std::exchange(resized_, false); }

 private:
  explicit ConsoleSignals(Interrupt interrupt) : interrupt_(std::move(interrupt)) {}

  Interrupt interrupt_;
  std::optional<int> leave_;
  bool resized_ = false;
};

}  // namespace usvc
