// What the jobs of `top` use, measured between two looks at /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proc/tree.h"
#include "terminal/top/model.h"

namespace usvc {

// One process of a job at a look.
struct MemberTime {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::uint64_t cpu_ticks = 0;
};

// The part of a core, in percent, that a job's processes took since the look before: what each of them has used since,
// all of it for one that began since. Processes that ended in between are not counted.
double cpu_percent(const std::vector<MemberTime>& before, double before_at, const std::vector<MemberTime>& now,
                   double now_at);

class Meter {
 public:
  enum class Need { visible_only, all };

  // Fills in the figures of the jobs that are to be seen, and as often as a small part of a core allows, those of all:
  // a pass over all of /proc costs 8 µs a process. With Need::all that part is larger.
  void measure(top::Model& model, const std::vector<top::Entry*>& visible, Need need);

 private:
  struct Look {
    double at = 0;  // uptime
    std::vector<MemberTime> members;
  };

  void pass_over_all(top::Model& model);
  void take(top::Model& model, top::Entry& entry, Look now, std::uint64_t rss_bytes, std::string state);
  bool read_members(const top::Entry& entry, const Look& before, Look& now, std::uint64_t& rss_bytes,
                    std::string& state);
  void look_again(top::Model& model, top::Entry& entry);

  std::map<std::string, Look, std::less<>> looks_;
  double pass_cost_ = 0;  // seconds of CPU
  double last_pass_at_ = -1e9;
  std::string buffer_;
};

}  // namespace usvc
