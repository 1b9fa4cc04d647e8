#include "manager/sweep.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include "manager/in_worker.h"
#include "manager/launching.h"
#include "manager/readable.h"
#include "proc/process.h"
#include "proc/tree.h"

namespace usvc {

namespace {

using Clock = Wakeup::Clock;

// A tree that forks faster than it is ended is met again in the next round; this many is a fork bomb's.
constexpr int most_rounds = 200;
// After so many of them with SIGKILL, what is still there is named.
constexpr int patient_kills = 5;

struct Target {
  Member member;
  Fd pidfd;
};

// Opens the members that still are who they were.
std::vector<Target> open_targets(const std::vector<Member>& members) {
  std::vector<Target> targets;
  ProcessStat stat;
  std::string buffer;
  for (const auto& member : members) {
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, member.pid, 0)));
    if (!pidfd || !read_stat(member.pid, stat, buffer)) continue;
    if (stat.start_ticks != member.start_ticks || is_dead(stat)) continue;
    targets.push_back({member, std::move(pidfd)});
  }
  return targets;
}

// A child that is being launched holds its keeper's descriptors for a moment. One that is `meant` is no such bystander.
void pass_over_launches(std::vector<Member>& members, pid_t keeper, const RunMarks* meant = nullptr) {
  std::erase_if(members, [&](const Member& member) {
    const bool own = meant != nullptr && member.pid == meant->main && member.start_ticks == meant->main_start_ticks;
    return !own && is_being_launched(member, keeper);
  });
}

// Children of the keeper that are nobody's main process: what has lost its parent, if it had one but the keeper.
struct Strays {
  bool keeper_lives = false;
  std::vector<Member> found;
};

Strays look_for_strays(pid_t keeper, const std::vector<pid_t>& known) {
  Strays strays{.found = unknown_strays(keeper, known)};
  pass_over_launches(strays.found, keeper);
  ProcessStat stat;
  std::string buffer;
  strays.keeper_lives = read_stat(keeper, stat, buffer) && !is_dead(stat);  // after the look: else it may be in vain
  return strays;
}

// One look at the keeper's children is for all runs that had ended before it began: n of them that end at once are not
// to look n times at n others. The loop has one of these.
class SharedLook : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit SharedLook(asio::execution_context& context) : service(context) {}

  asio::awaitable<std::shared_ptr<const Strays>> look(Instance* instance) {
    const auto waiting = std::make_shared<Waiting>(instance->io());
    waiting_.push_back(waiting);
    if (!std::exchange(under_way_, true)) begin(instance);
    while (!waiting->found) co_await waiting->done.wait();
    co_return waiting->found;
  }

 private:
  struct Waiting {
    explicit Waiting(asio::io_context& io) : done(io) {}
    Wakeup done;
    std::shared_ptr<const Strays> found;
  };
  using All = std::vector<std::shared_ptr<Waiting>>;

  void begin(Instance* instance) {
    asio::post(instance->workers(), [this, instance, all = std::exchange(waiting_, {}), known = instance->known_pids(),
                                     keeper = instance->keeper().keeper_pid()]() mutable {
      auto strays = std::make_shared<Strays>(look_for_strays(keeper, known));
      asio::post(instance->io(), [this, instance, all = std::move(all), strays = std::move(strays)] {
        tell(*instance, all, strays);
        if (waiting_.empty())
          under_way_ = false;
        else
          begin(instance);
      });
    });
  }
  static void tell(Instance& instance, const All& all, const std::shared_ptr<Strays>& strays) {
    // What has become a main process while the worker looked is no stray.
    if (!strays->found.empty()) {
      const std::vector<pid_t> known = instance.known_pids();
      std::erase_if(strays->found,
                    [&](const Member& member) { return std::binary_search(known.begin(), known.end(), member.pid); });
    }
    for (const auto& waiting : all) {
      waiting->found = strays;
      waiting->done.notify();
    }
  }
  void shutdown() override { waiting_.clear(); }

  All waiting_;
  bool under_way_ = false;
};

template <class Look>
asio::awaitable<std::vector<Member>> look_in_worker(Instance* instance, Look look) {
  // Anew each time: a process that has become a main one since is no stray.
  const std::vector<pid_t> known = instance->known_pids();
  auto looking = [known = std::vector<pid_t>(known), look] { return look(known); };
  std::vector<Member> found = co_await in_worker(instance, std::move(looking));
  // Nor is one that has become a main process while the worker looked.
  const std::vector<pid_t> known_now = instance->known_pids();
  std::erase_if(found, [&](const Member& member) {
    return std::binary_search(known_now.begin(), known_now.end(), member.pid) &&
           !std::binary_search(known.begin(), known.end(), member.pid);
  });
  co_return found;
}

// Signals, waits, looks again, until a look finds nothing.
template <class Look>
asio::awaitable<std::size_t> end_all(Instance* instance, Look look, int signal, Clock::time_point kill_at) {
  std::vector<Member> asked;
  std::size_t ended = 0;
  int kills = 0;
  for (int round = 0; round < most_rounds; ++round) {
    const std::vector<Member> members = co_await look_in_worker(instance, look);
    std::vector<Target> targets = open_targets(members);
    if (targets.empty()) break;
    const bool kill_now = Clock::now() >= kill_at;
    for (const auto& target : targets) {
      const bool known = std::find(asked.begin(), asked.end(), target.member) != asked.end();
      if (!known) {
        ++ended;
        asked.push_back(target.member);
      }
      if (known && !kill_now) continue;
      (void)::syscall(SYS_pidfd_send_signal, target.pidfd.get(), kill_now ? SIGKILL : signal, nullptr, 0);
    }
    if (kill_now && ++kills == patient_kills) {
      const Member& deaf = targets.front().member;
      instance->record_error("", "process " + std::to_string(deaf.pid) + " (" + deaf.comm +
                                     ") has not ended after SIGKILL: it waits in the kernel (a dead disk, say)");
    }
    // SIGKILL needs its moment too; a process that can't die (a dead disk) is met again, not waited for for ever.
    const auto deadline = kill_now ? Clock::now() + std::chrono::seconds(1) : kill_at;
    for (auto& target : targets) {
      Fd pidfd = std::move(target.pidfd);
      (void)co_await readable_until(&instance->io(), std::move(pidfd), deadline);
    }
  }
  co_return ended;
}

asio::awaitable<std::size_t> sweep_cgroup(Instance* instance, Cgroup* cgroup, int signal, Clock::time_point kill_at) {
  const auto look = [cgroup, keeper = instance->keeper().keeper_pid()](const std::vector<pid_t>& /*known*/) {
    std::vector<Member> members;
    ProcessStat stat;
    std::string buffer;
    for (const pid_t pid : cgroup->pids()) {
      if (read_stat(pid, stat, buffer)) members.push_back({pid, stat.start_ticks, stat.comm});
    }
    pass_over_launches(members, keeper);
    return members;
  };
  if (cgroup->populated() && Clock::now() >= kill_at) (void)cgroup->kill();  // forks in flight included
  co_return co_await end_all(instance, look, signal, kill_at);
}

}  // namespace

void note_tree(Run& run) {
  ProcessStat stat;
  std::string buffer;
  for (const pid_t pid : Snapshot::take().descendants(run.pid)) {
    if (read_stat(pid, stat, buffer)) run.tree.push_back({pid, stat.start_ticks, stat.comm});
  }
}

namespace {

// What fell to the keeper is all there is, as long as that keeper lives; its manager may not have heard of its end yet.
std::vector<Member> members_of(const RunMarks& marks, const std::vector<pid_t>& known, pid_t keeper, bool lineage) {
  if (!lineage) return all_members(marks, known);
  std::vector<Member> strays = strays_of(keeper, known, marks);
  ProcessStat stat;
  std::string buffer;
  const bool keeper_lives = read_stat(keeper, stat, buffer) && !is_dead(stat);
  return keeper_lives ? std::move(strays) : all_members(marks, known);
}

}  // namespace

asio::awaitable<std::size_t> sweep(Instance* instance, std::shared_ptr<Job> job, Clock::time_point kill_at) {
  Run& run = *job->run;
  const int signal = job->conf_or_defaults().stop_signal;
  std::size_t ended = 0;
  if (run.cgroup) {
    ended = co_await sweep_cgroup(instance, &*run.cgroup, signal, kill_at);
    (void)run.cgroup->remove();  // one that is not empty now holds what can't die; it is named by its processes
    co_return ended;
  }
  if (run.keeper_child && run.tree.empty()) {
    const auto strays = co_await asio::use_service<SharedLook>(instance->io()).look(instance);
    if (strays->keeper_lives && strays->found.empty()) co_return 0;  // as it is, mostly
  }
  const auto look = [marks = run.marks, tree = run.tree, keeper = instance->keeper().keeper_pid(),
                     lineage = run.keeper_child](const std::vector<pid_t>& known) {
    std::vector<Member> members = members_of(marks, known, keeper, lineage);
    std::erase_if(members, [&](const Member& member) { return member.pid == marks.main; });
    members.insert(members.end(), tree.begin(), tree.end());
    pass_over_launches(members, keeper);
    return members;
  };
  ended = co_await end_all(instance, look, signal, kill_at);
  instance->name_unknown_strays();
  co_return ended;
}

std::optional<pid_t> survivor_of(const JobRecord& record) {
  if (!record.pid || !record.boot_id) return std::nullopt;
  const Identity identity{.pid = static_cast<pid_t>(*record.pid),
                          .start_ticks = static_cast<std::uint64_t>(record.start_ticks.value_or(0)),
                          .boot_id = *record.boot_id};
  if (!alive(identity)) return std::nullopt;
  return identity.pid;
}

Status no_survivor(Instance& instance, const Job& job) {
  const auto survivor = instance.online() ? std::nullopt : survivor_of(instance.record_of(job));
  if (!survivor) return {};
  return fail("its process " + std::to_string(*survivor) + " still runs, though usvc's own do not");
}

asio::awaitable<std::size_t> sweep_lost(Instance* instance, std::shared_ptr<Job> job) {
  const JobRecord& record = instance->record_of(*job);
  // In another boot no process can be left, nor of a run that never came to one.
  if (!record.run_id || record.boot_id != boot_id()) co_return 0;
  RunMarks marks;
  marks.run_id = *record.run_id;
  if (const auto survivor = survivor_of(record)) {
    marks.main = *survivor;
    marks.main_start_ticks = static_cast<std::uint64_t>(record.start_ticks.value_or(0));
    marks.image = image_of(*survivor);
  }
  const Conf& conf = job->conf_or_defaults();
  // The lost process itself may have been let go a moment ago and not be its program yet.
  const auto look = [marks, keeper = instance->keeper().keeper_pid()](const std::vector<pid_t>& known) {
    std::vector<Member> members = all_members(marks, known);
    pass_over_launches(members, keeper, &marks);
    return members;
  };
  co_return co_await end_all(instance, look, conf.stop_signal, Clock::now() + conf.stop_timeout);
}

}  // namespace usvc
