#include "cli/top/meter.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "cli/observe.h"
#include "proc/process.h"

namespace usvc {

namespace {

// The part of a core that passes over /proc may take.
constexpr double usual_share = 0.005;
constexpr double larger_share = 0.02;
// Closer together two looks say little: CPU time is counted in hundredths of a second.
constexpr double least_distance = 0.05;
// A job with more processes is only measured by the passes over all.
constexpr std::size_t few_members = 64;

double cpu_seconds() {
  timespec now{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) return 0;
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

bool is_of(const JobView& job, const MemberTime& main) {
  return job.pid && *job.pid == main.pid && (!job.start_ticks || std::cmp_equal(*job.start_ticks, main.start_ticks));
}

}  // namespace

double cpu_percent(const std::vector<MemberTime>& before, double before_at, const std::vector<MemberTime>& now,
                   double now_at) {
  const auto hertz = static_cast<double>(clock_ticks());
  std::uint64_t used = 0;
  for (const auto& member : now) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const MemberTime& other) {
      return other.pid == member.pid && other.start_ticks == member.start_ticks;
    });
    if (same != before.end()) {
      used += member.cpu_ticks - std::min(member.cpu_ticks, same->cpu_ticks);
    } else if (static_cast<double>(member.start_ticks) / hertz >= before_at) {
      used += member.cpu_ticks;
    }
  }
  return 100 * static_cast<double>(used) / hertz / std::max(now_at - before_at, least_distance);
}

void Meter::take(top::Model& model, top::Entry& entry, Look now, std::uint64_t rss_bytes, std::string state) {
  top::Figures figures;
  figures.mem_bytes = static_cast<std::int64_t>(rss_bytes);
  figures.kernel_state = std::move(state);
  auto& before = looks_[entry.view.name];
  if (!before.members.empty() && is_of(entry.view, before.members.front())) {
    if (now.at - before.at < least_distance) return;
    figures.cpu_percent = cpu_percent(before.members, before.at, now.members, now.at);
  } else {
    // Nothing to compare with: what it took since it began.
    const double began = static_cast<double>(now.members.front().start_ticks) / static_cast<double>(clock_ticks());
    figures.cpu_percent = cpu_percent({}, std::min(began, now.at), now.members, now.at);
  }
  before = std::move(now);
  model.measured(entry, figures);
}

void Meter::pass_over_all(top::Model& model) {
  const Snapshot snapshot = Snapshot::take();
  const double now = uptime();
  for (auto& [name, entry] : model.all()) {
    if (!entry.view.pid) continue;
    const auto* process = snapshot.find(static_cast<pid_t>(*entry.view.pid));
    if (process == nullptr || !is_of(entry.view, {process->pid, process->start_ticks, 0})) continue;
    Look look{now, {}};
    std::uint64_t rss_bytes = 0;
    for (const auto* member : snapshot.members_of(process->pid)) {
      look.members.push_back({member->pid, member->start_ticks, member->cpu_ticks});
      rss_bytes += member->rss_bytes;
    }
    take(model, entry, std::move(look), rss_bytes, process_state_words(*process));
  }
  std::erase_if(looks_, [&](const auto& look) { return !model.all().contains(look.first); });
}

// Those that were its members at the last look, if the main process still is.
bool Meter::read_members(const top::Entry& entry, const Look& before, Look& now, std::uint64_t& rss_bytes,
                         std::string& state) {
  ProcessStat stat;
  for (const auto& member : before.members) {
    const bool same = read_stat(member.pid, stat, buffer_) && stat.start_ticks == member.start_ticks;
    if (now.members.empty()) {
      if (!same || !is_of(entry.view, member)) return false;
      state = kernel_state(stat.state, stat.flags);
    }
    if (!same) continue;
    now.members.push_back({stat.pid, stat.start_ticks, stat.utime_ticks + stat.stime_ticks});
    rss_bytes += stat.rss_bytes;
  }
  return !now.members.empty();
}

void Meter::look_again(top::Model& model, top::Entry& entry) {
  if (!entry.view.pid) return;
  const auto before = looks_.find(entry.view.name);
  Look first;
  const Look* known = before != looks_.end() ? &before->second : nullptr;
  if (known == nullptr || known->members.empty() || !is_of(entry.view, known->members.front())) {
    const auto identity = identify(static_cast<pid_t>(*entry.view.pid));
    if (!identity || !is_of(entry.view, {identity->pid, identity->start_ticks, 0})) return;
    first.members.push_back({identity->pid, identity->start_ticks, 0});
    known = &first;
  }
  if (known->members.size() > few_members) return;
  Look now{uptime(), {}};
  std::uint64_t rss_bytes = 0;
  std::string state;
  if (!read_members(entry, *known, now, rss_bytes, state)) return;
  take(model, entry, std::move(now), rss_bytes, std::move(state));
}

void Meter::measure(top::Model& model, const std::vector<top::Entry*>& visible, Need need) {
  const double now = uptime();
  const double share = need == Need::all ? larger_share : usual_share;
  if (now - last_pass_at_ >= pass_cost_ / share) {
    const double begun = cpu_seconds();
    pass_over_all(model);
    pass_cost_ = cpu_seconds() - begun;
    last_pass_at_ = now;
  } else {
    for (auto* entry : visible) look_again(model, *entry);
  }
  for (auto* entry : visible) {
    JobView& job = entry->view;
    if (job.binary && job.md5) job.md5_changed = binary_changed(*job.binary);
  }
}

}  // namespace usvc
