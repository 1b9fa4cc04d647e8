// The keeper becomes another version of itself by execve(2): the same process, so the jobs stay its children, their
// exits stay readable and its descriptors open. It ends the manager, becomes the new keeper, starts the new manager;
// when that is not up in time, it becomes the old keeper again, which starts the old manager.
//
// While there is no manager, a keeper that is killed would take the jobs' terminals and pipes with it. So beforehand it
// makes a guard: a child of itself that holds what it holds and only waits. Should the keeper die, and the token still
// be there, the guard becomes a keeper of the old version.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

#include "base/program.h"
#include "keeper/keeper.h"
#include "keeper/syscalls.h"

namespace usvc::keeper {

namespace {

constexpr int trial_seconds = 10;

std::string path_of(FdRef program) {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = ::readlink(open_program_path(program).c_str(), path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : "usvc-keeper";
}

}  // namespace

void Keeper::upgrade(Received received) {
  Fd new_keeper = take(received.fds, Role::new_keeper);
  Fd new_manager = take(received.fds, Role::new_manager);
  Fd token = take(received.fds, Role::token);
  if (old_keeper_) return note("an upgrade is under way: another one is passed over");
  if (!new_keeper || !new_manager || !token) return refuse_upgrade("its programs got lost");
  old_keeper_ = try_duplicate(options_.own_program);
  if (!old_keeper_) return refuse_upgrade(Error::last("cannot hold the old program").message());
  end_guard();
  old_manager_ = std::exchange(options_.manager_program, std::move(new_manager));
  Item item;
  item.flags = flag_trial;
  item.put(Role::token, std::move(token));
  items_[upgrade_item] = std::move(item);
  new_keeper_ = std::move(new_keeper);
  if (auto guard = start_guard(); !guard) {
    new_keeper_.reset();
    go_back_here();
    return refuse_upgrade(guard.error().message());
  }
  note("an upgrade: the manager is ended, the keeper becomes " + path_of(new_keeper_));
  end_manager();  // the rest follows once it is gone, in manager_gone()
}

void Keeper::refuse_upgrade(const std::string& why) {
  note("no upgrade: " + why);
  Item item;
  item.flags = flag_rolled_back;
  items_[upgrade_item] = std::move(item);
  say_item(upgrade_item, items_[upgrade_item]);
}

void Keeper::change_over() {
  const Error error = become(new_keeper_, false);
  note("cannot become the new keeper: " + error.message());
  new_keeper_.reset();
  go_back_here();
  start_manager();
}

void Keeper::roll_back() {
  note("the new manager did not come up: back to the version before");
  const Error error = become(old_keeper_, true);
  note("cannot become the old keeper again, only the manager is the old one: " + error.message());
  go_back_here();
  start_manager();
}

// The old manager for this very keeper.
void Keeper::go_back_here() {
  options_.manager_program = std::move(old_manager_);
  old_keeper_.reset();
  items_[upgrade_item].flags = flag_rolled_back;
}

// Before a manager is started in an upgrade: an earlier one may have taken the token and died.
void Keeper::begin_attempt() {
  const auto found = items_.find(upgrade_item);
  if (found == items_.end()) return;
  const FdRef token(found->second.find(Role::token));
  if (token.get() < 0) return;
  (void)take_token(token);
  (void)::eventfd_write(token.get(), 1);  // it was empty, so there is room
}

void Keeper::give_trial_up() {
  std::uint64_t expirations = 0;
  (void)!::read(trial_timer_.get(), &expirations, sizeof expirations);
  receive();  // the word that all is well may have come in the same moment
  if (!on_trial()) return;
  note("the new manager is not up after " + std::to_string(trial_seconds) + " s");
  trial_over_ = true;
  if (!manager_) return roll_back();
  end_manager();
}

// A manager is up, of the new version or again of the old one: that is settled.
void Keeper::conclude_upgrade() {
  if (new_keeper_) return;  // it has been asked for and has not begun: this is the old one's word from before
  const auto found = items_.find(upgrade_item);
  if (found == items_.end() || found->second.find(Role::token) < 0) return;
  end_guard();
  const itimerspec off{};
  (void)::timerfd_settime(trial_timer_.get(), 0, &off, nullptr);  // disarming can't fail
  old_keeper_.reset();
  old_manager_.reset();
  Item& item = found->second;
  if ((item.flags & flag_trial) != 0) item.flags = flag_upgraded;
  item.fds.clear();
  say_item(upgrade_item, item);
}

Status Keeper::start_guard() {
  const Fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!self) return fail(Error::last("cannot open the keeper's pidfd"));
  const pid_t pid = ::fork();
  if (pid == 0) keep_guard(self);
  if (pid < 0) return fail(Error::last("cannot make a guard"));
  guard_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  items_[upgrade_item].pid = pid;
  if (guard_) return {};
  auto failed = fail(Error::last("cannot watch the guard"));
  (void)::kill(pid, SIGKILL);  // a child not yet reaped: the pid is its own
  return failed;
}

void Keeper::keep_guard(FdRef keeper) {
  // The manager must see its socket close when the keeper dies.
  for (Fd* unwanted : {&manager_, &poll_, &signals_, &timer_, &trial_timer_}) unwanted->reset();
  pollfd gone{.fd = keeper.get(), .events = POLLIN, .revents = 0};
  while (::poll(&gone, 1, -1) < 0 && errno == EINTR) {
  }
  if (!take_token(FdRef(items_[upgrade_item].find(Role::token)))) ::_exit(0);
  end_manager();  // it has lost to us, and may not know it yet
  // A new manager that is still alive must never find it full again.
  items_[upgrade_item].fds.clear();
  note("the keeper was killed in an upgrade, its guard takes over: back to the version before");
  note(become(old_keeper_, true).message());
  ::_exit(1);
}

void Keeper::end_guard() {
  if (!guard_) return;
  siginfo_t info{};
  (void)::syscall(SYS_pidfd_send_signal, guard_.get(), SIGKILL, nullptr, 0);
  (void)wait_id(P_PIDFD, static_cast<id_t>(guard_.get()), info, WEXITED, nullptr);
  guard_.reset();
}

Handover Keeper::state() const {
  Handover state;
  state.manager = options_.manager_program.get();
  state.old_keeper = old_keeper_.get();
  state.old_manager = old_manager_.get();
  state.guard = guard_.get();
  for (const auto& [id, item] : items_) {
    HandedItem handed{.id = id, .pid = item.pid, .flags = item.flags, .fds = {}};
    if (item.exit) handed.ended_at_us = item.exit->at_us;
    for (const auto& held : item.fds) handed.fds.push_back({held.role, held.fd.get()});
    state.items.push_back(std::move(handed));
  }
  return state;
}

// Returns only if that failed.
Error Keeper::become(FdRef program, bool going_back) {
  const Handover handed = state();
  auto file = write_state(handed);
  if (!file) return file.error();
  std::vector<int> fds = descriptors_of(handed);
  fds.push_back(file->get());
  std::vector<std::string> args = {path_of(program), "--state-fd", std::to_string(file->get())};
  if (going_back) args.emplace_back("--rolled-back");
  if (!going_back) args.insert(args.end(), {"--old-keeper-fd", std::to_string(handed.old_keeper)});
  args.insert(args.end(), options_.manager_args.begin(), options_.manager_args.end());
  for (const int fd : fds) (void)::fcntl(fd, F_SETFD, 0);
  Error error = execute_program(program, args);
  for (const int fd : fds) (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return error;
}

void Keeper::restore(Handover state) {
  ever_up_ = true;
  options_.manager_program = inherited_fd(state.manager);
  old_keeper_ = inherited_fd(state.old_keeper);
  old_manager_ = inherited_fd(state.old_manager);
  guard_ = inherited_fd(state.guard);
  for (auto& handed : state.items) {
    Item& item = items_[handed.id];
    item.pid = handed.pid;
    item.flags = handed.flags;
    for (const auto& held : handed.fds) item.put(held.role, inherited_fd(held.fd));
    if ((item.flags & flag_child) == 0) continue;
    siginfo_t info{};
    if (wait_id(P_PID, static_cast<id_t>(item.pid), info, WEXITED | WNOHANG | WNOWAIT, nullptr) != 0) {
      item.flags &= ~flag_child;  // this keeper was a guard: the job has another parent
      continue;
    }
    children_[item.pid] = handed.id;
    const std::uint64_t tag = tag_child + static_cast<std::uint64_t>(item.pid);
    if (auto status = watch(FdRef(item.find(Role::pidfd)), tag, EPOLLIN); !status) note(status.error().message());
    child_ended(item.pid, handed.ended_at_us);  // if it has
  }
  if (options_.rolled_back && old_manager_) go_back_here();
  reap_strays();
  if (!on_trial()) return;
  itimerspec in{};
  in.it_value.tv_sec = trial_seconds;
  if (::timerfd_settime(trial_timer_.get(), 0, &in, nullptr) != 0) note(Error::last("cannot set a timer").message());
}

}  // namespace usvc::keeper
