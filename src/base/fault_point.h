// Named places at which a test can stop usvc's own processes, to kill them or each other just there. Only builds with
// USVC_FAULT_POINTS have them; elsewhere nothing of them is left, the names included.
//
// They do something only where the environment variable USVC_FAULTS names a directory: the process that comes to a
// point whose name is a file there takes the file away, leaves its pid in NAME.here and stops itself by SIGSTOP. As
// many passes as the file has bytes go by before.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace usvc {

// All points there are, named by who stops there (carry: whoever moves output). tests/faults has a case for each, which
// fails when no code has it.
inline constexpr auto fault_points = std::to_array<std::string_view>({
    "keeper.manager-started",
    "keeper.items-said",
    "keeper.spawn-received",
    "keeper.forked",
    "keeper.spawned-said",
    "keeper.exit-seen",
    "keeper.hold",
    "keeper.drop",
    "keeper.reaped",
    "keeper.manager-gone",
    "keeper.adopted",
    "child.ready",
    "child.let-go",
    "manager.locked",
    "manager.journal-open",
    "manager.item-adopted",
    "manager.begin-lives",
    "manager.start-wanted",
    "manager.conf-written",
    "manager.spawn",
    "manager.spawned",
    "manager.spawn-recorded",
    "manager.let-go",
    "manager.running",
    "manager.pre-run",
    "manager.exit-received",
    "manager.exit-recorded",
    "manager.swept",
    "manager.drained",
    "manager.post-run",
    "manager.waiting",
    "manager.stop-wanted",
    "manager.stop-signalled",
    "manager.stop-killed",
    "manager.clean-recorded",
    "manager.clean-file-moved",
    "manager.clean-log-moved",
    "manager.clean-conf-removed",
    "manager.cleaned",
    "manager.answer",
    "manager.keeper-lost",
    "manager.keeper-started",
    "manager.hand-over",
    "manager.rotate-index-renamed",
    "manager.rotate-renamed",
    "manager.rotate-created",
    "manager.rotate-indexed",
    "manager.rotate-held",
    "manager.archive-written",
    "manager.archive-renamed",
    "carry.owned",
    "carry.filled",
    "carry.exchange",
    "manager.journal-line",
    "manager.checkpoint",
});

// Its constructor refuses, at compile time, a name that is not in the list.
class FaultPoint {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): so that a call reads fault_point("keeper.forked")
  consteval FaultPoint(const char* name)
      : index_(static_cast<std::size_t>(std::find(fault_points.begin(), fault_points.end(), std::string_view(name)) -
                                        fault_points.begin())) {
    (void)fault_points.at(index_);
  }
  [[nodiscard]] constexpr std::size_t index() const { return index_; }

 private:
  std::size_t index_;
};

#ifdef USVC_FAULT_POINTS
// Calls nothing but the kernel, so it may stand between fork and exec. Leaves errno alone.
void fault_point(FaultPoint point);
#else
constexpr void fault_point(FaultPoint /*point*/) {}
#endif

}  // namespace usvc
