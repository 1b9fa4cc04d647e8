#include "keeper/keeper.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "base/fault_point.h"
#include "base/message.h"
#include "base/program.h"
#include "base/version.h"
#include "keeper/launch.h"
#include "keeper/syscalls.h"

namespace usvc::keeper {

namespace {

// A manager that exits so has said why and would say it again; see run().
constexpr int manager_refuses = 3;

// Managers of a new version that may end before one is up.
constexpr int most_trials = 3;

constexpr std::array ignored = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE,   SIGUSR1, SIGUSR2, SIGALRM,
                                SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO};

std::int64_t microseconds(const timeval& time) {
  return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);  // raising the soft limit to the hard one is always allowed
}

}  // namespace

Result<std::unique_ptr<Keeper>> Keeper::create(Options options) {
  std::unique_ptr<Keeper> keeper(new Keeper(std::move(options)));  // NOLINT: the constructor is private
  if (auto status = keeper->prepare(); !status) return pass(status);
  return keeper;
}

Status Keeper::prepare() {
  for (const int signal : ignored) {
    if (::signal(signal, SIG_IGN) == SIG_ERR) return fail(Error::last("cannot ignore a signal"));
  }
  // Inherited as ignored, it would have the kernel reap our children itself, and their exits would be nobody's.
  if (::signal(SIGCHLD, SIG_DFL) == SIG_ERR) return fail(Error::last("cannot set SIGCHLD"));
  raise_descriptor_limit();
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return fail(Error::last("cannot become a subreaper"));
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  if (::sigprocmask(SIG_BLOCK, &child, nullptr) != 0) return fail(Error::last("cannot block SIGCHLD"));
  signals_ = Fd(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  timer_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  trial_timer_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  poll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!signals_ || !timer_ || !trial_timer_ || !poll_) return fail(Error::last("cannot set up the keeper's loop"));
  if (auto status = watch(signals_, tag_signals, EPOLLIN); !status) return status;
  if (auto status = watch(timer_, tag_timer, EPOLLIN); !status) return status;
  return watch(trial_timer_, tag_trial, EPOLLIN);
}

Status Keeper::watch(FdRef fd, std::uint64_t tag, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0) return {};
  if (errno == EEXIST && ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, fd.get(), &event) == 0) return {};
  return fail(Error::last("cannot watch a descriptor"));
}

void Keeper::unwatch(FdRef fd) {
  (void)::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);  // fails only for one that is not watched
}

int Keeper::run() {
  if (options_.handed) restore(*std::exchange(options_.handed, {}));
  if (options_.adopted) {
    manager_ = std::move(options_.adopted);
    manager_up_ = ever_up_ = true;
    fault_point("keeper.adopted");
    meet_manager();
  } else {
    start_manager();
  }
  std::array<epoll_event, 64> events{};
  while (!quit_) {
    const bool standing_by = !manager_ && failures_ > 0;  // else the next one begins at once
    const bool more = standing_by && standby_.move_all(items_);
    // Without a manager, output is looked at ten times a second: this is the emergency, not the rule.
    const int pause = more ? 0 : stalled_ ? 10 : standing_by ? 100 : -1;
    const int count = ::epoll_wait(poll_.get(), events.data(), events.size(), pause);
    if (std::exchange(stalled_, false)) flush();
    for (int i = 0; i < count && !quit_; ++i) {
      const epoll_event& event = events.at(static_cast<std::size_t>(i));
      const std::uint64_t tag = event.data.u64;
      if (tag == tag_signals) reap_strays();
      if (tag == tag_timer) start_manager();
      if (tag == tag_trial) give_trial_up();
      if (tag == tag_manager && (event.events & EPOLLOUT) != 0) flush();
      if (tag == tag_manager) receive();
      if (tag == tag_manager_pidfd) manager_gone();
      if (tag >= tag_child) child_ended(static_cast<pid_t>(tag - tag_child));
    }
  }
  end_guard();
  return exit_status_;
}

void Keeper::start_manager() {
  const itimerspec off{};
  (void)::timerfd_settime(timer_.get(), 0, &off, nullptr);  // disarming can't fail
  if (manager_) return;
  begin_attempt();
  auto pair = make_socket_pair(SOCK_SEQPACKET);
  if (!pair) {
    note(pair.error().message());
    return manager_gone();
  }
  const pid_t pid = ::fork();
  if (pid == 0) become_manager(pair->theirs.get());
  if (pid < 0) {
    note(Error::last("cannot start the manager").message());
    return manager_gone();
  }
  manager_pid_ = pid;
  manager_is_child_ = true;
  manager_ = std::move(pair->ours);
  // The child is not reaped yet, so the pid is its own.
  manager_pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!manager_pidfd_) note(Error::last("cannot watch the manager").message());
  fault_point("keeper.manager-started");
  meet_manager();
}

void Keeper::become_manager(int socket) {
  sigset_t none;
  sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::vector<std::string> args = {program_beside("usvc-manager"), "--keeper-fd", std::to_string(socket)};
  (void)::fcntl(socket, F_SETFD, 0);
  if (options_.ready) {
    (void)::fcntl(options_.ready.get(), F_SETFD, 0);
    args.insert(args.end(), {"--ready-fd", std::to_string(options_.ready.get())});
  }
  // Handed over, since a manager that looks for it may find that this keeper is already dead.
  (void)::fcntl(options_.own_program.get(), F_SETFD, 0);
  args.insert(args.end(), {"--keeper-program-fd", std::to_string(options_.own_program.get())});
  args.insert(args.end(), options_.manager_args.begin(), options_.manager_args.end());
  note(execute_program(options_.manager_program, args).message());
  ::_exit(126);
}

void Keeper::meet_manager() {
  (void)::fcntl(manager_.get(), F_SETFL, O_NONBLOCK);
  outgoing_.clear();
  wants_room_ = false;
  if (auto status = watch(manager_, tag_manager, EPOLLIN); !status) note(status.error().message());
  if (manager_pidfd_) {
    if (auto status = watch(manager_pidfd_, tag_manager_pidfd, EPOLLIN); !status) note(status.error().message());
  }
  for (const auto& [id, item] : items_) say_item(id, item);
  Message end;
  end.kind = Kind::items_end;
  set_id(end, own_version());
  say(end);
  fault_point("keeper.items-said");
}

// Whatever state it is in; its pidfd tells when it is gone.
void Keeper::end_manager() const {
  if (manager_pidfd_) {
    (void)::syscall(SYS_pidfd_send_signal, manager_pidfd_.get(), SIGKILL, nullptr, 0);
  } else if (manager_is_child_ && manager_pid_ > 0) {
    (void)::kill(manager_pid_, SIGKILL);
  }
}

// True when the manager says that it can't work here and no other could.
bool Keeper::reap_manager() {
  if (!manager_is_child_ || manager_pid_ == 0) return false;
  siginfo_t info{};
  if (wait_id(P_PID, static_cast<id_t>(manager_pid_), info, WEXITED | WNOHANG, nullptr) != 0 || info.si_pid == 0)
    return false;
  const bool refused = info.si_code == CLD_EXITED && info.si_status == manager_refuses;
  note("the manager (pid " + std::to_string(manager_pid_) +
       ") ended: " + (info.si_code == CLD_EXITED ? "exit " : "signal ") + std::to_string(info.si_status));
  manager_pid_ = 0;
  // It can't work here (another instance, say), and nothing of ours is alive to stay for: a new one has no child yet,
  // one that was to replace another has been handed nothing.
  if (refused && (ever_up_ ? items_.empty() : children_.empty())) {
    quit_ = true;
    exit_status_ = manager_refuses;
  }
  return refused;
}

void Keeper::manager_gone() {
  fault_point("keeper.manager-gone");
  while (manager_ && receive()) {  // what it had said before it died still counts
    if (quit_) return;
  }
  const bool refused = reap_manager();
  // Closing alone would not end their events: a child between fork and exec has the same open files for a moment, and
  // the dead manager's end would be taken for that of the next.
  unwatch(manager_);
  unwatch(manager_pidfd_);
  manager_.reset();
  manager_pidfd_.reset();
  outgoing_.clear();
  failures_ = manager_up_ ? 0 : failures_ + 1;
  manager_up_ = false;
  if (quit_) return;
  if (new_keeper_) return change_over();
  if (on_trial() && (refused || trial_over_ || failures_ >= most_trials)) return roll_back();
  // At once after a manager that worked; else after 50 ms, 100 ms, … at most 10 s.
  const long delay_ms = failures_ == 0 ? 0 : std::min(10'000L, 25L << std::min(failures_, 10));
  itimerspec in{};
  in.it_value.tv_sec = delay_ms / 1000;
  in.it_value.tv_nsec = delay_ms % 1000 * 1'000'000 + 1;
  if (::timerfd_settime(timer_.get(), 0, &in, nullptr) != 0) note(Error::last("cannot set a timer").message());
}

// Takes what has come, as much as fits one turn of the loop; false when there was nothing.
bool Keeper::receive() {
  int count = 0;
  for (; count < 64 && manager_ && !quit_; ++count) {
    alignas(Message) std::array<std::byte, sizeof(Message)> buffer{};
    auto received = receive_message(manager_, buffer);
    if (!received) {
      if (received.error().code() == EAGAIN) break;
      // A manager that died with something of ours unread says so once, before what it had sent: read on to the end.
      if (received.error().code() == ECONNRESET) continue;
      note(received.error().message());
      if (received.error().code() == EBADMSG) continue;
      break;
    }
    if (received->size == 0) {
      // End of file: the manager is dead or as good as. Its pidfd says when; only an adopting one may not have sent it.
      unwatch(manager_);
      if (!manager_pidfd_) {
        manager_.reset();
        manager_gone();
      }
      break;
    }
    auto checked = check(std::span(buffer).first(received->size), std::move(received->fds));
    if (!checked) {
      note("a message from the manager is passed over: " + checked.error().message());
      continue;
    }
    handle(std::move(*checked));
  }
  return count > 0;
}

void Keeper::handle(Received received) {
  switch (received.message.kind) {
    case Kind::spawn:
      return spawn(std::move(received));
    case Kind::hold:
      return hold(std::move(received));
    case Kind::drop:
      return drop(id_of(received.message));
    case Kind::up:
      if (ever_up_) note("the manager (pid " + std::to_string(manager_pid_) + ") works");
      manager_up_ = ever_up_ = true;
      options_.ready.reset();
      return conclude_upgrade();
    case Kind::quit:
      quit_ = true;
      return;
    case Kind::upgrade:
      return upgrade(std::move(received));
    case Kind::item:
    case Kind::items_end:
    case Kind::spawned:
    case Kind::not_spawned:
    case Kind::exited:
    case Kind::held:
    case Kind::not_held:
      note("a message of the wrong direction is passed over");
      return;
  }
  note("a message of an unknown kind is passed over");
}

void Keeper::spawn(Received received) {
  fault_point("keeper.spawn-received");
  if (received.fds_lost) {
    Message refusal = received.message;
    refusal.kind = Kind::not_spawned;
    refusal.fd_count = 0;
    refusal.code = static_cast<std::int32_t>(Step::fork);
    refusal.status = EMFILE;
    return say(refusal);
  }
  Held handed;
  handed.fds = std::move(received.fds);
  const LaunchFds fds{.card = FdRef(handed.find(Role::card)),
                      .status = FdRef(handed.find(Role::status)),
                      .input = FdRef(handed.find(Role::standard_input)),
                      .output = FdRef(handed.find(Role::standard_output)),
                      .error = FdRef(handed.find(Role::standard_error)),
                      .cgroup = handed.find(Role::cgroup)};
  Message answer = received.message;
  answer.fd_count = 0;
  auto child = launch(fds);
  if (!child) {
    answer.kind = Kind::not_spawned;
    answer.code = static_cast<std::int32_t>(Step::fork);
    answer.status = child.error().code();
    return say(answer);
  }
  fault_point("keeper.forked");
  const std::string id = id_of(received.message);
  Item item;
  item.pid = child->pid;
  item.flags = flag_child | (received.message.flags & flag_terminal);
  for (auto& held : handed.fds) {
    if (held.role < Role::card) item.put(held.role, std::move(held.fd));
  }
  item.put(Role::pidfd, std::move(child->pidfd));
  const std::uint64_t tag = tag_child + static_cast<std::uint64_t>(item.pid);
  if (auto status = watch(FdRef(item.find(Role::pidfd)), tag, EPOLLIN); !status) note(status.error().message());
  children_[item.pid] = id;
  answer.kind = Kind::spawned;
  answer.pid = item.pid;
  items_[id] = std::move(item);
  answer.fd_count = 1;
  answer.roles[0] = Role::pidfd;
  outgoing_.push_back({answer, true});
  flush();
  fault_point("keeper.spawned-said");
}

void Keeper::hold(Received received) {
  fault_point("keeper.hold");
  if (received.message.pid != 0 && id_of(received.message) == manager_item) {
    // An adopting manager introduces itself.
    manager_pid_ = received.message.pid;
    manager_is_child_ = false;
    for (auto& held : received.fds) manager_pidfd_ = std::move(held.fd);
    if (auto status = watch(manager_pidfd_, tag_manager_pidfd, EPOLLIN); !status) note(status.error().message());
    return;
  }
  if (received.fds_lost) note("no descriptors left to hold all of " + id_of(received.message));
  Item& item = items_[id_of(received.message)];
  if (received.message.pid != 0) item.pid = received.message.pid;
  item.flags |= received.message.flags & flag_terminal;
  for (auto& held : received.fds) item.put(held.role, std::move(held.fd));
  if (!received.fds_lost && received.message.token == 0) return;
  Message answer = received.message;
  answer.kind = received.fds_lost ? Kind::not_held : Kind::held;
  answer.fd_count = 0;
  say(answer);
}

void Keeper::drop(const std::string& id) {
  const auto found = items_.find(id);
  if (found == items_.end()) return;
  fault_point("keeper.drop");
  const Item item = std::move(found->second);
  items_.erase(found);
  if ((item.flags & flag_child) == 0) return;
  children_.erase(item.pid);
  if (item.exit) {
    siginfo_t info{};
    // It has been seen as a zombie and is nobody else's to reap, so this can't fail.
    (void)wait_id(P_PID, static_cast<id_t>(item.pid), info, WEXITED | WNOHANG, nullptr);
  }
  fault_point("keeper.reaped");
  reap_strays();  // ended ones may have stood behind this zombie
}

// Reaps what is nobody's main process: daemons' leftovers that became ours.
void Keeper::reap_strays() {
  std::array<signalfd_siginfo, 8> signals{};
  while (::read(signals_.get(), signals.data(), sizeof signals) > 0) {
  }
  for (;;) {
    siginfo_t info{};
    if (wait_id(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT, nullptr) != 0 || info.si_pid == 0) return;
    if (info.si_pid == manager_pid_ && manager_is_child_) return;  // its pidfd tells
    // A known zombie hides what stands behind it until it is dropped, which comes back here.
    if (children_.contains(info.si_pid)) return;
    (void)wait_id(P_PID, static_cast<id_t>(info.si_pid), info, WEXITED | WNOHANG, nullptr);
  }
}

void Keeper::child_ended(pid_t pid, std::int64_t at_us) {
  const auto child = children_.find(pid);
  if (child == children_.end()) return;  // an event from before it was dropped
  const std::string& id = child->second;
  Item& item = items_[id];
  siginfo_t info{};
  rusage usage{};
  const bool seen = wait_id(P_PID, static_cast<id_t>(pid), info, WEXITED | WNOHANG | WNOWAIT, &usage) == 0;
  if (seen && info.si_pid != pid) return;
  // A pidfd stays readable for good.
  unwatch(FdRef(item.find(Role::pidfd)));
  item.exit = Exit{};
  if (seen) {
    item.exit = Exit{.code = info.si_code,
                     .status = info.si_status,
                     .cpu_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
                     .max_rss_bytes = std::int64_t{usage.ru_maxrss} * 1024,
                     .at_us = 0};
  }
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);  // there always is this clock
  item.exit->at_us = at_us > 0 ? at_us : std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  fault_point("keeper.exit-seen");
  say_exit(id, item);
}

void Keeper::say_item(const std::string& id, const Item& item) {
  Message message;
  message.kind = Kind::item;
  set_id(message, id);
  message.pid = item.pid;
  message.flags = item.flags;
  message.fd_count = static_cast<std::uint32_t>(std::min(item.fds.size(), message.roles.size()));
  for (std::size_t i = 0; i < message.fd_count; ++i) message.roles.at(i) = item.fds[i].role;
  outgoing_.push_back({message, true});
  flush();
  if (item.exit) say_exit(id, item);
}

void Keeper::say_exit(const std::string& id, const Item& item) {
  Message message;
  message.kind = Kind::exited;
  set_id(message, id);
  message.pid = item.pid;
  message.flags = item.flags | flag_exited;
  message.code = item.exit->code;
  message.status = item.exit->status;
  message.cpu_us = item.exit->cpu_us;
  message.max_rss_bytes = item.exit->max_rss_bytes;
  message.ended_at_us = item.exit->at_us;
  say(message);
}

void Keeper::say(const Message& message) {
  outgoing_.push_back({message, false});
  flush();
}

// Sends what waits, in order, as far as the socket takes it.
void Keeper::flush() {
  while (!outgoing_.empty() && manager_) {
    Outgoing& next = outgoing_.front();
    std::vector<int> fds;
    if (next.with_fds) {
      const auto item = items_.find(id_of(next.message));
      if (item == items_.end()) {  // dropped meanwhile
        outgoing_.pop_front();
        continue;
      }
      for (std::size_t i = 0; i < next.message.fd_count; ++i)
        fds.push_back(item->second.find(next.message.roles.at(i)));
    }
    if (auto sent = send_message(manager_, bytes_of(next.message), fds); !sent) {
      if (sent.error().code() == EAGAIN) {
        wants_room_ = true;
        if (auto status = watch(manager_, tag_manager, EPOLLIN | EPOLLOUT); !status) note(status.error().message());
        return;
      }
      if (is_passing(sent.error())) {
        stalled_ = true;
        return;
      }
      if (sent.error().code() != EPIPE && sent.error().code() != ECONNRESET) note(sent.error().message());
      outgoing_.clear();  // a manager that is gone is sent everything again when it is back
      return;
    }
    outgoing_.pop_front();
    if (outgoing_.empty() && std::exchange(wants_room_, false)) {
      if (auto status = watch(manager_, tag_manager, EPOLLIN); !status) note(status.error().message());
    }
  }
}

}  // namespace usvc::keeper
