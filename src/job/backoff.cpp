#include "job/backoff.h"

#include <algorithm>
#include <limits>

namespace usvc {

int Backoff::count_after(int before, Duration ran) {
  if (ran >= healthy) return 0;
  return before < std::numeric_limits<int>::max() ? before + 1 : before;
}

Duration Backoff::delay(const Rules& rules, int young_ends_in_a_row, Duration ran, double random) {
  if (young_ends_in_a_row <= 1) return Duration::zero();
  if (!rules.runaway_protect) return std::max(shortest_loop - ran, Duration::zero());
  Duration base = std::max(rules.first, shortest_loop);
  for (int doublings = young_ends_in_a_row - 2; doublings > 0 && base < rules.longest; --doublings) base *= 2;
  base = std::min(base, rules.longest);
  const double jitter = 0.8 + 0.4 * std::clamp(random, 0.0, 1.0);
  const Duration wait(static_cast<Duration::rep>(static_cast<double>(base.count()) * jitter));
  return std::max(std::min(wait, rules.longest), shortest_loop);
}

}  // namespace usvc
