// Waiting for something that happens in the same thread.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "manager/asio.h"

namespace usvc {

// One coroutine waits; anyone notifies. A notification before the wait is not lost. Must outlive the wait. Each job has
// one, so it is small: what waits needs no coroutine of its own, and a timer is there only while a deadline is.
class Wakeup {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::time_point never = Clock::time_point::max();

  explicit Wakeup(asio::io_context& io) : io_(io) {}

  void notify() {
    notified_ = true;
    resume();
  }
  // To be awaited. True: notified; false: the deadline came first.
  auto wait_until(Clock::time_point deadline) {
    asio::deferred_t token;
    const auto begin = [](auto handler, Wakeup* self, Clock::time_point until) {
      self->begin(std::move(handler), until);
    };
    return asio::async_initiate<asio::deferred_t, void(bool)>(begin, token, this, deadline);
  }
  auto wait() { return wait_until(never); }

 private:
  void begin(std::move_only_function<void(bool)> waiter, Clock::time_point deadline) {
    waiter_ = std::move(waiter);
    if (notified_) return resume();
    if (deadline == never) return;
    timer_ = std::make_unique<asio::steady_timer>(io_, deadline);
    // Comes before what resume() posts, so never when this is gone.
    timer_->async_wait([this](const boost::system::error_code& error) {
      if (!error) resume();
    });
  }
  void resume() {
    if (!waiter_) return;
    timer_.reset();
    asio::post(io_, [this, waiter = std::move(waiter_)]() mutable { waiter(std::exchange(notified_, false)); });
    waiter_ = nullptr;
  }

  asio::io_context& io_;
  std::move_only_function<void(bool)> waiter_;
  std::unique_ptr<asio::steady_timer> timer_;
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
