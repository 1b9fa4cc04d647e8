// Whoever waits for an operation's answer, and may go away meanwhile.
#pragma once

#include "manager/wakeup.h"

namespace usvc {

class Caller {
 public:
  [[nodiscard]] bool gone() const { return gone_; }
  void leave() {
    gone_ = true;
    if (wakeup_ != nullptr) wakeup_->notify();
  }

  // Has an operation that only waits woken when its caller leaves.
  class Attention {
   public:
    Attention(Caller* caller, Wakeup* wakeup) : caller_(*caller) { caller_.wakeup_ = wakeup; }
    ~Attention() { caller_.wakeup_ = nullptr; }
    Attention(const Attention&) = delete;
    Attention& operator=(const Attention&) = delete;
    Attention(Attention&&) = delete;
    Attention& operator=(Attention&&) = delete;

   private:
    Caller& caller_;
  };

 private:
  bool gone_ = false;
  Wakeup* wakeup_ = nullptr;
};

}  // namespace usvc
