#include "keeper/launch.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <span>

#include "base/fault_point.h"
#include "keeper/card.h"

namespace usvc::keeper {

namespace {

constexpr std::array step_texts = {
    "make a process",          "read its launch card", "begin a session",         "take its terminal",
    "set up its input/output", "enter its directory",  "set its resource limits", "execute it",
};
static_assert(step_texts.size() == static_cast<std::size_t>(Step::exec) + 1, "a step without words");

[[noreturn]] void give_up(int status, Step step) {
  const LaunchFailure failure{.step = step, .error = errno};
  // Nobody may be left to hear it; the exit code says the same, more roughly.
  (void)::send(status, &failure, sizeof failure, MSG_NOSIGNAL);
  ::_exit(step == Step::exec && failure.error == ENOENT ? 127 : 126);
}

void default_signals() {
  // By the bare system call: glibc refuses the two signals it keeps to itself, and a process that came about by its
  // posix_spawn(3) has those ignored. A sigaction of zeros is SIG_DFL in every layout. KILL and STOP refuse, as they
  // should.
  constexpr std::array<unsigned long, 8> default_action{};
  constexpr std::size_t set_size = 8;
  for (int signal = 1; signal <= 64; ++signal) {
    (void)::syscall(SYS_rt_sigaction, signal, default_action.data(), nullptr, set_size);
  }
  sigset_t none;
  sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Returns the status socket's new number. From here on the child holds nothing of the keeper's: a waiting child must
// not keep a socket open whose end-of-file somebody waits for.
int place_descriptors(const LaunchFds& fds) {
  int status = fds.status.get();
  // The sources are all above 2: a keeper keeps 0, 1 and 2 open.
  const std::array sources = {fds.input.get(), fds.output.get(), fds.error.get()};
  for (int target = 0; target < 3; ++target) {
    if (::dup2(sources[static_cast<std::size_t>(target)], target) < 0) give_up(status, Step::stdio);
  }
  if (status != 3) {
    if (::dup3(status, 3, O_CLOEXEC) < 0) give_up(status, Step::stdio);
    status = 3;
  }
  // Before Linux 5.9 the call is unknown, and O_CLOEXEC closes the rest a moment later.
  (void)::syscall(SYS_close_range, 4U, ~0U, 0U);
  return status;
}

void set_limits(const CardHeader& header, std::span<std::byte> card, int status) {
  for (std::uint64_t i = 0; i < header.limit_count; ++i) {
    Limit limit;
    std::memcpy(&limit, card.data() + header.limits + i * sizeof limit, sizeof limit);
    const auto resource = static_cast<__rlimit_resource>(limit.resource);
    rlimit value{.rlim_cur = limit.soft, .rlim_max = limit.hard};
    if (::setrlimit(resource, &value) == 0) continue;
    // An instance first started from a shell with lower hard limits can't give more than it has: give that.
    rlimit own{};
    if (::getrlimit(resource, &own) != 0) give_up(status, Step::limits);
    value.rlim_max = std::min(value.rlim_max, own.rlim_max);
    value.rlim_cur = std::min(value.rlim_cur, value.rlim_max);
    if (::setrlimit(resource, &value) != 0) give_up(status, Step::limits);
  }
}

// Blocks until the manager has the child's identity on disk; without a manager there is to be no job.
void wait_for_go(int status) {
  char go = 0;
  ssize_t got = -1;
  do {
    got = ::read(status, &go, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) ::_exit(125);
}

[[noreturn]] void become_program(const CardHeader& header, std::span<std::byte> card, int status) {
  auto* const base = reinterpret_cast<char*>(card.data());
  char** const argv = reinterpret_cast<char**>(base + header.argv);
  char** const env = reinterpret_cast<char**>(base + header.env);
  ::execve(base + header.path, argv, env);
  if (errno == ENOEXEC) {
    // A script without a #! line: what a shell would do with it. The slot before argv[0] is spare.
    argv[-1] = base + header.shell;
    argv[0] = base + header.path;
    ::execve(base + header.shell, argv - 1, env);
  }
  give_up(status, Step::exec);
}

[[noreturn]] void child_main(const LaunchFds& fds) {
  int status = fds.status.get();
  (void)::prctl(PR_SET_NAME, launching_comm);
  struct stat info {};
  if (::fstat(fds.card.get(), &info) != 0) give_up(status, Step::card);
  const auto size = static_cast<std::size_t>(info.st_size);
  void* const address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fds.card.get(), 0);
  if (address == MAP_FAILED) give_up(status, Step::card);
  const std::span card(static_cast<std::byte*>(address), size);
  errno = EINVAL;
  if (!relocate(card)) give_up(status, Step::card);
  CardHeader header;
  std::memcpy(&header, card.data(), sizeof header);

  if (::setsid() < 0) give_up(status, Step::session);
  status = place_descriptors(fds);
  if (header.terminal != 0 && ::ioctl(0, TIOCSCTTY, 0) != 0) give_up(status, Step::terminal);
  if (header.subreaper != 0 && ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) give_up(status, Step::session);
  if (::chdir(reinterpret_cast<char*>(card.data()) + header.cwd) != 0) give_up(status, Step::directory);
  if (header.umask >= 0) ::umask(static_cast<mode_t>(header.umask));
  // Refused only where the instance itself runs nicer than the job should, which must not keep the job from running.
  if (header.set_nice != 0) (void)::setpriority(PRIO_PROCESS, 0, header.nice);
  set_limits(header, card, status);
  fault_point("child.ready");
  wait_for_go(status);
  fault_point("child.let-go");
  default_signals();
  become_program(header, card, status);
}

}  // namespace

const char* step_text(Step step) {
  const auto index = static_cast<std::size_t>(step);
  return index < step_texts.size() ? step_texts[index] : "start";
}

Result<Child> launch(const LaunchFds& fds) {
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (fds.cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(fds.cgroup);
  }
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return fail(Error::last("cannot make a process"));
  if (pid == 0) child_main(fds);
  return Child{.pid = static_cast<pid_t>(pid), .pidfd = Fd(pidfd)};
}

}  // namespace usvc::keeper
