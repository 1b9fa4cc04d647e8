// The beginning of a manager: what it takes over from the one before, or makes for the first time.
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "base/fault_point.h"
#include "base/files.h"
#include "base/ready.h"
#include "base/text.h"
#include "base/unix_socket.h"
#include "base/window_size.h"
#include "job/run_id.h"
#include "manager/instance.h"
#include "manager/life.h"
#include "manager/pile_up.h"
#include "manager/readable.h"
#include "manager/sweep.h"
#include "proc/cgroup.h"
#include "proc/process.h"

namespace usvc {

using keeper::Role;

namespace {

constexpr int backlog = 1024;

HeldItem* find_item(std::vector<HeldItem>& items, std::string_view id) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const HeldItem& item) { return item.id == id; });
  return found == items.end() ? nullptr : &*found;
}

bool is_own_item(const std::string& id) {
  return id.starts_with("usvc:");
}

// The instance's lock for this process alone; EWOULDBLOCK: one runs. Whoever only asks or reads shares it for a moment,
// which is waited for.
Result<Fd> lock_alone(const Layout& layout) {
  constexpr int most_tries = 1000;
  auto lock = lock_directory(layout.home, layout.lock, LOCK_EX);
  for (int tries = 0; !lock && lock.error().code() == EWOULDBLOCK && tries < most_tries; ++tries) {
    if (!lock_directory(layout.home, layout.lock, LOCK_SH)) break;
    (void)::poll(nullptr, 0, 1);
    lock = lock_directory(layout.home, layout.lock, LOCK_EX);
  }
  return lock;
}

}  // namespace

Status Instance::take_over(Fd keeper_socket, Fd keeper_program, std::vector<std::string> keeper_args) {
  if (auto status = prepare_directories(); !status) return status;
  keeper_ =
      std::make_unique<KeeperLink>(io_, std::move(keeper_socket), std::move(keeper_program), std::move(keeper_args));
  auto items = keeper_->meet();
  if (!items) return pass(items);
  if (auto status = upgrade_.meet(*items); !status) return status;
  if (auto status = take_lock(*items); !status) return status;
  fault_point("manager.locked");
  auto spill = take_spill(*items);
  if (!spill) return pass(spill);
  auto journal = JournalWriter::open(layout_.journal_dir, std::move(*spill));
  if (!journal) return pass(journal);
  journal_ = std::make_unique<JournalWriter>(std::move(*journal));
  fault_point("manager.journal-open");
  if (auto status = load(); !status) return status;
  if (auto status = take_listener(*items); !status) return status;
  if (auto status = take_carry(*items); !status) return status;
  cgroup_parent_ = delegated_cgroup(std::getenv("USVC_CGROUP")).value_or("");

  if (find_item(*items, lock_item) == nullptr) {
    Event keeper_started;
    keeper_started.event = "keeper-started";
    keeper_started.pid = keeper_->keeper_pid();
    record(std::move(keeper_started));
  }
  write_pids();
  Event started;
  started.event = "manager-started";
  started.pid = ::getpid();
  record(std::move(started));
  for (const auto& complaint : picture_.complaints) record_error("", complaint);
  KeeperLink::Events events;
  events.exited = [this](const keeper::Message& exit) { on_exit(exit); };
  events.lost = [this] { on_keeper_lost(); };
  events.not_held = [this](const std::string& id) { on_not_held(id); };
  events.silent = [this](bool silent) { on_silent(silent); };
  events.upgraded = [this](std::uint32_t flags) { upgrade_.told(flags); };
  take_inputs(*items);
  adopt(*items);
  capture_->run();
  keeper_->run(std::move(events));
  fault_point("manager.begin-lives");
  begin_lives();
  upgrade_.catch_up();
  return {};
}

// For whoever finds one of the two not answering.
void Instance::write_pids() const {
  const auto note = [](const std::string& path, pid_t pid) {
    if (auto written = write_file_atomically(path, std::to_string(pid) + "\n", Flush::no); !written) {
      std::fprintf(stderr, "usvc-manager: %s\n", written.error().message().c_str());
    }
  };
  note(layout_.keeper_pid, keeper_->keeper_pid());
  note(layout_.manager_pid, ::getpid());
}

Status Instance::open_offline(bool to_change) {
  if (!to_change) {
    const auto lock = lock_directory(layout_.home, layout_.lock, LOCK_SH);
    silent_ = !lock && lock.error().code() == EWOULDBLOCK;
    return load();
  }
  auto lock = lock_alone(layout_);
  if (!lock && lock.error().code() == ENOENT) return load();  // no instance has ever run here
  if (!lock && lock.error().code() == EWOULDBLOCK) return fail("an instance is running, but cannot be reached");
  if (!lock) return pass(lock);
  lock_ = std::move(*lock);
  auto journal = JournalWriter::open(layout_.journal_dir);
  if (!journal && journal.error().code() == ENOENT) return load();  // no instance has ever run here
  if (!journal) return pass(journal);
  journal_ = std::make_unique<JournalWriter>(std::move(*journal));
  return load();
}

Status Instance::prepare_directories() const {
  for (const auto* dir : {&layout_.home, &layout_.jobs_dir, &layout_.logs_dir, &layout_.old_logs_dir,
                          &layout_.journal_dir, &layout_.work_dir, &layout_.run_dir}) {
    if (auto made = ensure_private_dir(*dir); !made) return made;
  }
  return {};
}

Status Instance::take_lock(std::vector<HeldItem>& items) {
  if (HeldItem* item = find_item(items, lock_item)) {
    lock_ = item->take(Role::lock);
    return {};
  }
  // The lock belongs to the open directory, which keeper and manager share: it is held as long as either lives, and a
  // pid that is somebody else's by now can't be mistaken for it.
  auto lock = lock_alone(layout_);
  if (!lock && lock.error().code() == EWOULDBLOCK) return fail("already running");
  if (!lock) return pass(lock);
  lock_ = std::move(*lock);
  return keeper_->hold(lock_item, {{Role::lock, lock_}});
}

Status Instance::take_listener(std::vector<HeldItem>& items) {
  if (HeldItem* item = find_item(items, listener_item)) {
    listener_ = item->take(Role::listener);
    struct stat info {};
    // Somebody may have tidied the socket's file away (tmpfiles, say); without it nobody finds us.
    if (listener_ && ::stat(layout_.socket.c_str(), &info) == 0) return {};
  }
  return listen_anew();
}

Status Instance::listen_anew() {
  if (auto made = ensure_private_dir(layout_.run_dir); !made) return made;
  auto listener = listen_unix(layout_.socket, backlog);
  if (!listener) return pass(listener);
  listener_ = std::move(*listener);
  return keeper_->hold(listener_item, {{Role::listener, listener_}});
}

Result<Spill> Instance::take_spill(std::vector<HeldItem>& items) {
  if (HeldItem* item = find_item(items, spill_item)) {
    spill_ = item->take(Role::spill);
  }
  if (!spill_) {
    auto file = Spill::make_file();
    if (!file) return pass(file);
    spill_ = std::move(*file);
    if (auto held = keeper_->hold(spill_item, {{Role::spill, spill_}}); !held) return pass(held);
  }
  return Spill(duplicate(spill_));
}

Status Instance::take_carry(std::vector<HeldItem>& items) {
  if (HeldItem* item = find_item(items, keeper::carry_item)) {
    carry_.read = item->take(Role::carry_read);
    carry_.write = item->take(Role::carry_write);
    carry_owner_ = item->take(Role::carry_owner);
  }
  // An earlier manager may have died between giving a stuck run the carry pipe and replacing it: then it is that run's.
  bool given_away = false;
  const std::size_t waiting = carry_.read ? pipe_fill(carry_.read) : 0;
  if (waiting > 0) {
    auto owner = CarryOwner::map(carry_owner_);
    if (!owner) return pass(owner);
    const HeldItem* item = find_item(items, owner->get());
    given_away = item != nullptr && std::any_of(item->fds.begin(), item->fds.end(),
                                                [](const auto& held) { return held.role == Role::carry_read; });
  }
  if (!carry_.read || given_away) {
    auto carry = make_carry();
    if (!carry) return pass(carry);
    carry_ = std::move(*carry);
  }
  if (!carry_owner_) {
    auto page = CarryOwner::make_page();
    if (!page) return pass(page);
    carry_owner_ = std::move(*page);
  }
  const std::vector<Lent> lent = {
      {Role::carry_read, carry_.read}, {Role::carry_write, carry_.write}, {Role::carry_owner, carry_owner_}};
  if (auto held = keeper_->hold(keeper::carry_item, lent); !held) return held;

  auto owner = CarryOwner::map(carry_owner_);
  if (!owner) return pass(owner);
  CaptureEvents events;
  events.drained = [this](const std::string& id, std::uint64_t /*log_end*/) {
    asio::post(io_, [this, id] { on_drained(id); });
  };
  events.stuck = [this](const std::string& id, int error) {
    asio::post(io_, [this, id, error] { on_stuck(id, error); });
  };
  events.carry_lost = [this](const std::string& id, Carry stuck, Carry fresh) {
    asio::post(io_, [this, id, stuck = std::move(stuck), fresh = std::move(fresh)]() mutable {
      asio::co_spawn(io_, exchange_carry(id, std::move(stuck), std::move(fresh)), must_not_throw);
    });
  };
  events.rotate = [this](const Rotation& rotation) { asio::post(io_, [this, rotation] { rotator_.begin(rotation); }); };
  events.unindexed = [this](const std::string& path, const std::string& why) {
    asio::post(io_, [this, path, why] { rotator_.tell_unindexed(path, why); });
  };
  Carry shared{.read = duplicate(carry_.read), .write = duplicate(carry_.write)};
  auto capture = Capture::create(std::move(shared), std::move(*owner), std::move(events));
  if (!capture) return pass(capture);
  capture_ = std::move(*capture);
  return {};
}

void Instance::take_inputs(std::vector<HeldItem>& items) {
  for (auto& item : items) {
    if (!item.id.starts_with(input_item_prefix)) continue;
    const std::string job = item.id.substr(std::string_view(input_item_prefix).size());
    inputs_[job] = item.take(Role::input);
    // Its request is asked again, with the descriptor, by whoever had made it.
    if (!find(job) || !inputs_[job]) drop_input(job);
  }
}

void Instance::adopt(std::vector<HeldItem>& items) {
  std::vector<HeldItem> of_jobs;
  for (auto& item : items) {
    if (!is_own_item(item.id)) of_jobs.push_back(std::move(item));
  }
  // Those of the run the journal speaks of first; of one run the later phase, of one phase what lives.
  const auto rank = [this](const HeldItem& item) {
    const auto job = job_of_item(item.id);
    const ItemName name = parse_item_id(item.id);
    const bool current = job && record_of(*job).run_id == name.run_id;
    const int later = name.phase == Phase::post ? 0 : name.phase == Phase::main ? 1 : 2;
    return (current ? 0 : 100) + 10 * later + (item.exit ? 1 : 0);
  };
  std::multimap<int, HeldItem*> ranked;
  for (auto& item : of_jobs) ranked.emplace(rank(item), &item);
  for (const auto& [order, item] : ranked) {
    adopt_item(std::move(*item));
    fault_point("manager.item-adopted");
  }
}

namespace {

// `known`: start_of() it.
Run run_from(HeldItem& item, std::optional<std::int64_t> known) {
  const ItemName name = parse_item_id(item.id);
  Run run;
  run.run_id = name.run_id;
  run.phase = name.phase;
  run.pid = item.pid;
  run.keeper_child = (item.flags & keeper::flag_child) != 0;
  run.terminal = (item.flags & keeper::flag_terminal) != 0;
  run.pidfd = item.take(Role::pidfd);
  run.output = item.take(Role::output);
  // The manager before may have died while it had the window drawn anew.
  if (run.terminal) end_passing_rows(run.output);
  run.log = item.take(Role::log);
  run.error_output = item.take(Role::error_output);
  run.error_log = item.take(Role::error_log);
  run.carry = {.read = item.take(Role::carry_read), .write = item.take(Role::carry_write)};
  ProcessStat stat;
  std::string buffer;
  if (known) run.start_ticks = static_cast<std::uint64_t>(*known);
  if (!known && read_stat(run.pid, stat, buffer)) run.start_ticks = stat.start_ticks;
  run.marks.main = run.pid;
  run.marks.main_start_ticks = run.start_ticks;
  run.marks.run_id = run.run_id;
  mark_output(run);
  if (item.exit) run.end = end_from(*item.exit);
  return run;
}

// When its process began, where the journal has it: a thousand files of /proc need not be read.
std::optional<std::int64_t> start_of(const JobRecord& record, const HeldItem& item) {
  const bool same = record.run_id == parse_item_id(item.id).run_id && record.pid == std::int64_t{item.pid};
  return same && record.start_ticks != 0 ? record.start_ticks : std::nullopt;
}

// Also of a process that is not the keeper's child, whose end it does not hear of.
bool has_ended(const Run& run) {
  return run.end || ready_now(run.pidfd);
}

}  // namespace

// What the journal says of a job, as far as its adoption goes by it.
Journaled Instance::journaled(const Job& job) {
  const JobRecord& record = record_of(job);
  return {.state = job_state_from(record.state).value_or(JobState::stopped),
          .hook_passed = record.hook_passed,
          .spawned = record.pid.has_value()};
}

// A process that an earlier manager had made: its job goes on where the journal says it was.
void Instance::adopt_item(HeldItem item) {
  const std::string id = item.id;
  const std::string name = job_name_of(id);
  std::shared_ptr<Job> job = find(name);
  Run run = run_from(item, job ? start_of(record_of(*job), item) : std::nullopt);
  if (!run.pidfd || !run.output || !run.log) {
    record_error("", "what the keeper holds for " + printable(id) + " is not all there, and is let go");
    return keeper_->drop(id);
  }
  if (name.empty()) return adopt_leftover(std::move(run), Resume::end);
  // Its conf and its journal are gone: so it can at least be seen and stopped.
  if (!job) job = add_job(name);
  const HeldProcess held{.phase = run.phase, .ended = has_ended(run)};
  const bool current = record_of(*job).run_id == run.run_id;
  Resume resume = current ? resume_with(journaled(*job), held) : resume_other(held, !job->run);
  // One process of a job's is followed; a second one has no place.
  const bool leads = resume == Resume::follow || resume == Resume::recover || resume == Resume::bury;
  if (leads && job->run) resume = held.ended ? Resume::drain : Resume::end;
  if (!leads || job->run) return adopt_leftover(std::move(run), resume);
  if (!cgroup_parent_.empty()) {
    auto cgroup = Cgroup::open(cgroup_parent_ + "/" + cgroup_name(run.run_id, run.phase));
    if (cgroup) run.cgroup = std::move(*cgroup);
  }
  job->run = std::move(run);
  if (job->run->terminal) job->window = window_size(job->run->output).value_or(job->window);
  job->resume = resume;
  take_state(*job, resume);
  Event adopted;
  adopted.event = "adopted";
  adopted.job = job->name;
  adopted.run_id = job->run->run_id;
  adopted.pid = job->run->pid;
  record(std::move(adopted));
  capture_run(*job->run, job->name);
  watch_if_orphan(*job->run);
}

// The state in which an adopted job's life begins.
void Instance::take_state(Job& job, Resume resume) {
  const JobState state = journaled(job).state;
  if (resume == Resume::recover) return recover(job);
  job.state = state;
  // Its time to settle goes on, or managers that are killed in turn would keep whoever waits for it for ever.
  job.running_since = Wakeup::Clock::now();
  if (job.run && job.run->start_ticks > 0) {
    job.running_since -=
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(age_of(job.run->start_ticks)));
  }
  // The journal's last word may be of the hook, the process the program's.
  if (resume == Resume::follow && job.run->phase == Phase::main && state == JobState::pre_run) {
    job.state = JobState::starting;
  }
}

// Lives, and the journal does not know of it: a segment was lost or damaged. It is entered there again; what lives is
// wanted.
void Instance::recover(Job& job) {
  record_error(job.name, "the journal had lost its run " + job.run->run_id + "; it is taken over as it is");
  Event starting;
  starting.event = "starting";
  starting.job = job.name;
  starting.run_id = job.run->run_id;
  record(std::move(starting));
  record(spawned_event(job.name, *job.run));
  Event wanted;
  wanted.event = "wanted";
  wanted.job = job.name;
  wanted.wanted = true;
  record(std::move(wanted));
  job.state = JobState::starting;
}

// A run that is over for its job but for the last of its output, or one that has no place in it any more.
void Instance::adopt_leftover(Run run, Resume resume) {
  const std::string id = run.item_id();
  const std::string job = job_name_of(id);
  run.marks.image = image_of(run.pid);
  if (resume == Resume::end && !run.end) {
    record_error(job,
                 "process " + std::to_string(run.pid) + " of " + run.run_id + " has no place any more: it is ended");
    (void)signal_group(run, SIGKILL);
  }
  const auto placed = leftovers_.insert_or_assign(id, std::move(run)).first;
  capture_run(placed->second, job);
  if (placed->second.end)
    capture_->drain(id);
  else
    watch_if_orphan(placed->second);
}

void Instance::begin_lives() {
  // A job whose conf was removed by hand while it ran.
  for (const auto& [name, record] : picture_.jobs) {
    if (!record.exit_recorded && !jobs_.contains(name)) add_job(name);
  }
  lives_begun_ = true;
  for (const auto& [name, job] : jobs_) {
    if (!job->run) job->resume = resume_without(journaled(*job));
    if (!job->run) take_state(*job, job->resume);
    if (job->state == JobState::stopped && !job->conf) job->state = JobState::invalid;
    asio::co_spawn(io_, job->life->live(job), must_not_throw);
  }
  rotator_.see_to_all();
  asio::co_spawn(io_, mark_images(), must_not_throw);
}

// A mark by which forks are known of a program that is gone: nobody waits for it yet, while clients wait for answers.
asio::awaitable<void> Instance::mark_images() {
  constexpr int at_once = 16;
  std::vector<std::shared_ptr<Job>> jobs;
  for (const auto& [name, job] : jobs_) {
    if (job->run) jobs.push_back(job);
  }
  int marked = 0;
  for (const auto& job : jobs) {
    // Before it runs its program it has the keeper's image.
    const bool runs = job->run && job->state == JobState::running && !has_ended(*job->run);
    if (!runs || job->run->marks.image != 0) continue;
    job->run->marks.image = image_of(job->run->pid);
    if (++marked % at_once == 0) co_await let_others_in(&io_);
  }
}

std::string Instance::job_name_of(const std::string& id) {
  const auto run = parse_run_id(parse_item_id(id).run_id);
  return run ? run->name : "";
}

std::shared_ptr<Job> Instance::job_of_item(const std::string& id) const {
  return find(job_name_of(id));
}

}  // namespace usvc
