#include "manager/trim.h"

#include <malloc.h>

namespace usvc {

namespace {
constexpr auto quiet = std::chrono::seconds(2);
}

void Trim::soon() {
  last_ = Clock::now();
  if (!armed_) arm();
}

void Trim::arm() {
  armed_ = true;
  timer_.expires_at(last_ + quiet);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    armed_ = false;
    if (Clock::now() < last_ + quiet) return arm();
    // By itself malloc gives back only what is free at the heap's end.
    (void)::malloc_trim(0);
  });
}

}  // namespace usvc
