#include "proc/tree.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "proc/process.h"
#include "proc/scan.h"

namespace usvc {

namespace {

void append_children_file(pid_t pid, pid_t thread, std::vector<pid_t>& out, std::string& buffer) {
  std::array<char, 48> leaf{};
  constexpr std::string_view task = "task/";
  constexpr std::string_view name = "/children";
  char* at = std::copy(task.begin(), task.end(), leaf.data());
  at = std::to_chars(at, leaf.data() + leaf.size() - name.size(), thread).ptr;
  at = std::copy(name.begin(), name.end(), at);
  const std::string_view path(leaf.data(), static_cast<std::size_t>(at - leaf.data()));
  if (!read_small(ProcPath(pid, path).c_str(), buffer)) return;
  Words words(buffer);
  while (!words.at_end()) {
    if (const auto child = whole_number<pid_t>(words.next())) out.push_back(*child);
  }
}

std::vector<pid_t> scan_for_children(pid_t parent) {
  std::vector<pid_t> found;
  ProcessStat stat;
  std::string buffer;
  for (const pid_t pid : numbered_entries("/proc")) {
    if (read_stat(pid, stat, buffer) && stat.ppid == parent) found.push_back(pid);
  }
  return found;
}

}  // namespace

bool kernel_lists_children() {
  static const bool listed = ::access("/proc/thread-self/children", R_OK) == 0;
  return listed;
}

std::vector<pid_t> settled_children(const std::function<std::vector<pid_t>()>& look) {
  constexpr int most_looks = 5;
  std::vector<pid_t> all;
  std::vector<pid_t> before;
  for (int looks = 0; looks < most_looks; ++looks) {
    std::vector<pid_t> now = look();
    std::sort(now.begin(), now.end());
    std::vector<pid_t> both;
    std::set_union(all.begin(), all.end(), now.begin(), now.end(), std::back_inserter(both));
    all.swap(both);
    if (looks > 0 && std::includes(now.begin(), now.end(), before.begin(), before.end())) break;
    before.swap(now);
  }
  return all;
}

std::vector<pid_t> children_of(pid_t pid) {
  if (kernel_lists_children()) {
    std::string buffer;
    return settled_children([&] {
      std::vector<pid_t> found;
      for (const pid_t thread : numbered_entries(ProcPath(pid, "task").c_str())) {
        append_children_file(pid, thread, found, buffer);
      }
      return found;
    });
  }
  std::vector<pid_t> found = scan_for_children(pid);
  std::sort(found.begin(), found.end());
  return found;
}

Snapshot Snapshot::take() {
  const std::vector<pid_t> pids = numbered_entries("/proc");
  std::vector<Process> processes;
  processes.reserve(pids.size());
  ProcessStat stat;
  std::string buffer;
  for (const pid_t pid : pids) {
    if (!read_stat(pid, stat, buffer)) continue;
    processes.push_back({stat.pid, stat.ppid, stat.pgrp, stat.session, stat.tty_nr, stat.state, stat.rss_bytes,
                         stat.utime_ticks + stat.stime_ticks, stat.start_ticks});
  }
  return Snapshot(std::move(processes));
}

Snapshot::Snapshot(std::vector<Process> processes) : processes_(std::move(processes)) {
  std::sort(processes_.begin(), processes_.end(), [](const Process& a, const Process& b) { return a.pid < b.pid; });
  by_parent_.resize(processes_.size());
  std::iota(by_parent_.begin(), by_parent_.end(), Index{0});
  by_session_ = by_parent_;
  const auto sort_by = [this](std::vector<Index>& index, pid_t Process::*field) {
    std::sort(index.begin(), index.end(), [this, field](Index a, Index b) {
      return std::pair(processes_[a].*field, a) < std::pair(processes_[b].*field, b);
    });
  };
  sort_by(by_parent_, &Process::ppid);
  sort_by(by_session_, &Process::session);
}

const Snapshot::Process* Snapshot::find(pid_t pid) const {
  const auto at = std::lower_bound(processes_.begin(), processes_.end(), pid,
                                   [](const Process& process, pid_t wanted) { return process.pid < wanted; });
  return at != processes_.end() && at->pid == pid ? &*at : nullptr;
}

Snapshot::Range Snapshot::with_parent(pid_t ppid) const {
  const auto [first, last] =
      std::ranges::equal_range(by_parent_, ppid, std::less{}, [this](Index index) { return processes_[index].ppid; });
  return {by_parent_.data() + (first - by_parent_.begin()), by_parent_.data() + (last - by_parent_.begin())};
}

Snapshot::Range Snapshot::with_session(pid_t session) const {
  const auto [first, last] = std::ranges::equal_range(by_session_, session, std::less{},
                                                      [this](Index index) { return processes_[index].session; });
  return {by_session_.data() + (first - by_session_.begin()), by_session_.data() + (last - by_session_.begin())};
}

// `seen` also ends a walk in circles: pids reused while /proc was read can make one.
void Snapshot::spread(std::vector<Index>& found, std::vector<bool>& seen) const {
  for (std::size_t at = 0; at < found.size(); ++at) {
    for (const Index child : with_parent(processes_[found[at]].pid)) {
      if (seen[child]) continue;
      seen[child] = true;
      found.push_back(child);
    }
  }
}

std::vector<pid_t> Snapshot::children(pid_t pid) const {
  std::vector<pid_t> pids;
  for (const Index child : with_parent(pid)) pids.push_back(processes_[child].pid);
  return pids;
}

std::vector<pid_t> Snapshot::descendants(pid_t pid) const {
  std::vector<Index> found;
  std::vector<bool> seen(processes_.size());
  if (const Process* self = find(pid)) seen[static_cast<std::size_t>(self - processes_.data())] = true;
  for (const Index child : with_parent(pid)) {
    if (seen[child]) continue;
    seen[child] = true;
    found.push_back(child);
  }
  spread(found, seen);
  std::sort(found.begin(), found.end());
  std::vector<pid_t> pids;
  pids.reserve(found.size());
  for (const Index index : found) pids.push_back(processes_[index].pid);
  return pids;
}

std::vector<const Snapshot::Process*> Snapshot::members_of(pid_t pid) const {
  std::vector<Index> found;
  std::vector<bool> seen(processes_.size());
  const auto add = [&](Index index) {
    if (seen[index]) return;
    seen[index] = true;
    found.push_back(index);
  };
  if (const Process* self = find(pid)) add(static_cast<Index>(self - processes_.data()));
  // Session 0 is no session: the kernel's own threads are in it.
  if (pid > 0) {
    for (const Index member : with_session(pid)) add(member);
  }
  spread(found, seen);
  std::vector<const Process*> members;
  members.reserve(found.size());
  for (const Index index : found) members.push_back(&processes_[index]);
  return members;
}

Usage Snapshot::usage_of(pid_t pid) const {
  Usage usage;
  for (const Process* member : members_of(pid)) {
    usage.rss_bytes += member->rss_bytes;
    usage.cpu_ticks += member->cpu_ticks;
    ++usage.processes;
  }
  return usage;
}

}  // namespace usvc
