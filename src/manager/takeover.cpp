// The beginning of a manager: what it takes over from the one before, or makes for the first time.
#include <fcntl.h>
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

#include "base/files.h"
#include "base/text.h"
#include "base/unix_socket.h"
#include "manager/instance.h"
#include "manager/life.h"
#include "manager/readable.h"
#include "manager/sweep.h"
#include "proc/cgroup.h"
#include "proc/process.h"

namespace usvc {

using keeper::Role;

namespace {

constexpr char lock_item[] = "usvc:lock";
constexpr char listener_item[] = "usvc:listener";
constexpr char keeper_pid_file[] = "keeper.pid";
constexpr int backlog = 1024;

HeldItem* find_item(std::vector<HeldItem>& items, std::string_view id) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const HeldItem& item) { return item.id == id; });
  return found == items.end() ? nullptr : &*found;
}

bool is_own_item(const std::string& id) {
  return id.starts_with("usvc:");
}

}  // namespace

Status Instance::take_over(Fd keeper_socket, std::vector<std::string> keeper_args) {
  if (auto status = prepare_directories(); !status) return status;
  keeper_ = std::make_unique<KeeperLink>(io_, std::move(keeper_socket), std::move(keeper_args));
  auto items = keeper_->meet();
  if (!items) return pass(items);
  if (auto status = take_lock(*items); !status) return status;
  auto journal = JournalWriter::open(layout_.journal_dir);
  if (!journal) return pass(journal);
  journal_ = std::make_unique<JournalWriter>(std::move(*journal));
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
  adopt(*items);
  capture_->run();
  keeper_->run(std::move(events));
  begin_lives();
  return {};
}

// For `vars` while one of the two is being replaced: who they were last.
void Instance::write_pids() const {
  const std::string text = std::to_string(keeper_->keeper_pid()) + "\n";
  if (auto written = write_file_atomically(layout_.run_dir + "/" + keeper_pid_file, text, Flush::no); !written) {
    std::fprintf(stderr, "usvc-manager: %s\n", written.error().message().c_str());
  }
}

std::optional<pid_t> Instance::last_keeper() const {
  std::string text;
  if (!read_small((layout_.run_dir + "/" + keeper_pid_file).c_str(), text)) return std::nullopt;
  const auto pid = parse_number(trim(text));
  ProcessStat stat;
  std::string buffer;
  // The file may be older than this boot, the number somebody else's.
  if (!pid || !read_stat(static_cast<pid_t>(*pid), stat, buffer) || stat.comm != "usvc-keeper" || is_dead(stat)) {
    return std::nullopt;
  }
  return static_cast<pid_t>(*pid);
}

Status Instance::open_offline(bool to_change) {
  if (!to_change) return load();
  auto lock = lock_directory(layout_.home, layout_.lock, LOCK_EX);
  if (!lock && lock.error().code() == ENOENT) return load();  // no instance has ever run here
  if (!lock && lock.error().code() == EWOULDBLOCK) return fail("an instance is running, but can't be reached");
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
  auto lock = lock_directory(layout_.home, layout_.lock, LOCK_EX);
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
      on_carry_lost(id, std::move(stuck), std::move(fresh));
    });
  };
  Carry shared{.read = Fd(::fcntl(carry_.read.get(), F_DUPFD_CLOEXEC, 3)),
               .write = Fd(::fcntl(carry_.write.get(), F_DUPFD_CLOEXEC, 3))};
  auto capture = Capture::create(std::move(shared), std::move(*owner), std::move(events));
  if (!capture) return pass(capture);
  capture_ = std::move(*capture);
  return {};
}

void Instance::adopt(std::vector<HeldItem>& items) {
  for (auto& item : items) {
    if (!is_own_item(item.id)) adopt_item(std::move(item));
  }
}

namespace {

Run run_from(HeldItem& item) {
  const ItemName name = parse_item_id(item.id);
  Run run;
  run.run_id = name.run_id;
  run.phase = name.phase;
  run.pid = item.pid;
  run.keeper_child = (item.flags & keeper::flag_child) != 0;
  run.terminal = (item.flags & keeper::flag_terminal) != 0;
  run.pidfd = item.take(Role::pidfd);
  run.output = item.take(Role::output);
  run.log = item.take(Role::log);
  run.carry = {.read = item.take(Role::carry_read), .write = item.take(Role::carry_write)};
  ProcessStat stat;
  std::string buffer;
  if (read_stat(run.pid, stat, buffer)) run.start_ticks = stat.start_ticks;
  run.marks.main = run.pid;
  run.marks.main_start_ticks = run.start_ticks;
  run.marks.run_id = run.run_id;
  run.marks.image = image_of(run.pid);
  mark_output(run);
  if (item.exit) run.end = end_from(*item.exit, unix_now());
  return run;
}

}  // namespace

// A process that an earlier manager had made: its job goes on where the journal says it was.
void Instance::adopt_item(HeldItem item) {
  const auto job = job_of_item(item.id);
  const ItemName name = parse_item_id(item.id);
  const JobRecord* record = job ? &picture_.jobs[job->name] : nullptr;
  const bool current = record != nullptr && record->run_id == name.run_id && record->pid == item.pid;
  const bool being_buried = record != nullptr && record->run_id == name.run_id && record->state == "dead";
  if (!current && !being_buried) return adopt_leftover(std::move(item));
  job->run = run_from(item);
  if (!cgroup_parent_.empty()) {
    const char* suffix = name.phase == Phase::pre ? ".pre" : name.phase == Phase::post ? ".post" : "";
    auto cgroup = Cgroup::open(cgroup_parent_ + "/" + name.run_id + suffix);
    if (cgroup) job->run->cgroup = std::move(*cgroup);
  }
  job->state = job_state_from(record->state).value_or(JobState::running);
  if (job->state == JobState::waiting || job->state == JobState::stopped) job->state = JobState::running;
  // The way back from the hook to the program is not in the journal; that the process is the program's is.
  if (name.phase == Phase::main && job->state == JobState::pre_run) job->state = JobState::starting;
  if (name.phase == Phase::post) job->state = JobState::post_run;
  Event adopted;
  adopted.event = "adopted";
  adopted.job = job->name;
  adopted.run_id = name.run_id;
  adopted.pid = item.pid;
  this->record(std::move(adopted));
  capture_run(*job);
  if (!job->run->keeper_child && !job->run->end) asio::co_spawn(io_, watch_orphan(item.id), must_not_throw);
}

// Not what the journal says its job is at: a child that was never let go and ends by itself, or a run that is over and
// recorded but for the last of its output.
void Instance::adopt_leftover(HeldItem item) {
  const std::string id = item.id;
  Run run = run_from(item);
  const bool ended = run.end.has_value();
  const auto [placed, fresh] = leftovers_.emplace(id, std::move(run));
  if (!placed->second.output || !placed->second.log) {
    keeper_->drop(id);
    leftovers_.erase(placed);
    return;
  }
  CaptureSource source;
  source.id = id;
  const auto parsed = job_of_item(id);
  source.job = parsed ? parsed->name : id;
  source.terminal = placed->second.terminal;
  source.output = placed->second.output;
  source.log = placed->second.log;
  if (placed->second.carry.read) {
    source.carry_read = Fd(::fcntl(placed->second.carry.read.get(), F_DUPFD_CLOEXEC, 3));
    source.carry_write = Fd(::fcntl(placed->second.carry.write.get(), F_DUPFD_CLOEXEC, 3));
  }
  capture_->add(std::move(source));
  if (ended) capture_->drain(id);
}

void Instance::begin_lives() {
  for (const auto& [name, job] : jobs_) {
    const JobRecord& record = picture_.jobs[name];
    const bool lost = !job->run && !record.exit_recorded && record.pid.has_value();
    if (lost)
      end_survivor(job);
    else
      asio::co_spawn(io_, job->life->live(job), must_not_throw);
  }
}

// Its keeper and manager are both gone (or the machine was booted anew), and with them its terminal or pipe. What is
// left of it is ended before a replacement may start: never two copies.
void Instance::end_survivor(const std::shared_ptr<Job>& job) {
  const auto bury = [](Instance* instance, std::shared_ptr<Job> lost) -> asio::awaitable<void> {
    const JobRecord record = instance->record_of(*lost);
    RunMarks marks;
    marks.run_id = record.run_id.value_or("");
    const Identity identity{.pid = static_cast<pid_t>(*record.pid),
                            .start_ticks = static_cast<std::uint64_t>(record.start_ticks.value_or(0)),
                            .boot_id = record.boot_id.value_or("")};
    if (alive(identity)) {
      marks.main = identity.pid;
      marks.main_start_ticks = identity.start_ticks;
      marks.image = image_of(identity.pid);
    }
    const Conf defaults;
    const Conf& conf = lost->conf ? *lost->conf : defaults;
    // In another boot no process can be left.
    if (identity.boot_id == boot_id()) {
      (void)co_await sweep_survivors(instance, std::move(marks), conf.stop_signal, conf.stop_timeout);
    }
    Event exited;
    exited.event = "exited";
    exited.core = false;
    exited.t = unix_now();
    exited.job = lost->name;
    exited.run_id = record.run_id;
    exited.ran = std::max(0.0, exited.t - record.started_at.value_or(exited.t));
    if (record.state == "stopping") exited.asked = true;
    instance->record(std::move(exited));
    lost->state = JobState::dead;
    co_await lost->life->live(lost);
  };
  job->state = JobState::stopping;  // not running any more for whoever asks, and not at rest either
  asio::co_spawn(io_, bury(this, job), must_not_throw);
}

std::shared_ptr<Job> Instance::job_of_item(const std::string& id) const {
  const std::string run_id = parse_item_id(id).run_id;
  // "NAME.N.HEX8": the name may hold dots.
  const auto tag = run_id.rfind('.');
  const auto number = tag == std::string::npos || tag == 0 ? tag : run_id.rfind('.', tag - 1);
  return number == std::string::npos ? nullptr : find(run_id.substr(0, number));
}

}  // namespace usvc
