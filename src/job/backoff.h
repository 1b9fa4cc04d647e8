// How long a job that keeps ending young waits for its next run. Pure: the caller brings clock and randomness.
#pragma once

#include "base/time.h"

namespace usvc {

class Backoff {
 public:
  // A run this long was healthy, and the count starts anew.
  static constexpr Duration healthy = std::chrono::seconds(60);
  static constexpr Duration first_wait = std::chrono::seconds(1);
  static constexpr Duration longest_wait = std::chrono::seconds(300);
  // From the second young end on even the runs of an unprotected job begin this far apart: forking, executing and
  // writing the journal in a loop that never pauses would take a whole core from everything else on the machine.
  static constexpr Duration shortest_loop = std::chrono::milliseconds(50);

  struct Rules {
    bool runaway_protect = true;
    Duration first = first_wait;
    Duration longest = longest_wait;
  };

  // The number of young ends in a row after a run that took `ran`.
  static int count_after(int before, Duration ran);

  // The wait before the next run, after one that took `ran`. After the first young end none; then the first one,
  // doubled each time, each 20 % more or less so that jobs that fell together don't rise together, and the longest at
  // most. `random` is in [0, 1).
  static Duration delay(const Rules& rules, int young_ends_in_a_row, Duration ran, double random);
};

}  // namespace usvc
