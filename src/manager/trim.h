// Free memory given back to the machine once no client has gone for a moment: what answering for thousands of jobs took
// would otherwise be kept for ever.
#pragma once

#include <chrono>

#include "manager/asio.h"

namespace usvc {

class Trim {
 public:
  explicit Trim(asio::io_context& io) : timer_(io) {}
  // Something has been done that may have left much memory free.
  void soon();

 private:
  using Clock = std::chrono::steady_clock;
  void arm();

  asio::steady_timer timer_;
  Clock::time_point last_;
  bool armed_ = false;
};

}  // namespace usvc
