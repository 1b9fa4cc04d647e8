// Waiting for something that happens in the same thread.
#pragma once

#include <chrono>
#include <deque>
#include <memory>

#include "manager/asio.h"

namespace usvc {

// One coroutine waits; anyone notifies. A notification before the wait is not lost.
class Wakeup {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::time_point never = Clock::time_point::max();

  explicit Wakeup(asio::io_context& io) : timer_(io) {}

  void notify() {
    notified_ = true;
    timer_.cancel();
  }
  // True: notified; false: the deadline came first.
  asio::awaitable<bool> wait_until(Clock::time_point deadline) {
    if (!notified_) {
      timer_.expires_at(deadline);
      (void)co_await timer_.async_wait(as_result);
    }
    co_return std::exchange(notified_, false);
  }
  asio::awaitable<void> wait() { (void)co_await wait_until(never); }

 private:
  asio::steady_timer timer_;
  bool notified_ = false;
};

// Lets a bounded number of coroutines through at a time, first come first served.
class Gate {
 public:
  Gate(asio::io_context& io, int places) : io_(io), free_(places) {}

  class Place {
   public:
    explicit Place(Gate* gate) : gate_(gate) {}
    ~Place() {
      if (gate_ != nullptr) gate_->leave();
    }
    Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    Gate* gate_;  // outlives every place
  };

  asio::awaitable<Place> enter() {
    if (free_ > 0) {
      --free_;
      co_return Place(this);
    }
    auto turn = std::make_shared<Wakeup>(io_);
    queue_.push_back(turn);
    co_await turn->wait();
    co_return Place(this);
  }

 private:
  void leave() {
    if (queue_.empty()) {
      ++free_;
      return;
    }
    const auto next = std::move(queue_.front());
    queue_.pop_front();
    next->notify();  // the place goes from hand to hand
  }

  asio::io_context& io_;
  int free_;
  std::deque<std::shared_ptr<Wakeup>> queue_;
};

}  // namespace usvc
