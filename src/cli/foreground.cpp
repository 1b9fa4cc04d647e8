#include "cli/foreground.h"

#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/files.h"
#include "base/ready.h"
#include "base/watch.h"
#include "cli/command/attach_session.h"
#include "cli/instance.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "cli/service_manager.h"
#include "log/reader.h"
#include "proc/process.h"

namespace usvc {

namespace {

using namespace std::chrono_literals;
// Between two looks for a keeper while one is being replaced.
constexpr auto replacement_pause = 100ms;
// Before an instance that has died is started again.
constexpr auto mourning = 1s;
constexpr std::size_t most_complaints = 65'536;

Result<Fd> open_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGCHLD}) sigaddset(&signals, signal);
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return fail(Error::last("cannot block signals"));
  Fd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail(Error::last("cannot wait for signals"));
  return fd;
}

class Foreground {
 public:
  Foreground(Context& context, Fd signals, Watch watch)
      : context_(context), manager_(ServiceManager::take()), signals_(std::move(signals)), watch_(std::move(watch)) {}
  Result<int> run();

 private:
  Status begin();
  Status replace_old_programs();
  void pass_complaints_on();
  void find_keeper();
  bool take_signals();
  Result<int> asked_to_end();
  Result<int> shut_down();
  Status start_again();

  Context& context_;
  ServiceManager manager_;
  Fd signals_;
  Watch watch_;
  Fd keeper_;       // its pidfd
  off_t told_ = 0;  // of the instance's log
};

// The instance's log from here on; what is in it already was somebody else's to read.
Status Foreground::begin() {
  struct stat info {};
  if (::stat(context_.layout.instance_log.c_str(), &info) == 0) told_ = info.st_size;
  context_.has_cgroup = manager_.has_unit();
  Remote remote(context_, NoInstance::start);
  const auto all = remote.jobs({});
  if (!all) return fail(all.error());
  for (const auto& trouble : all->troubles) complain(trouble);
  if (!remote.started()) {
    if (manager_.has_unit()) {
      // Where that fails the instance goes on as it was.
      if (auto replaced = replace_old_programs(); !replaced) complain(replaced.error().message());
    } else {
      complain("already running in " + context_.layout.home);
    }
  }
  return watch_.add_file(context_.layout.instance_log);
}

Status Foreground::replace_old_programs() {
  auto directory = helper_directory();
  if (!directory) return pass(directory);
  auto vars = Remote(context_, NoInstance::refuse).await_vars();
  if (!vars) return pass(vars);
  const auto runs = [&](const std::optional<std::int64_t>& pid, const char* name) {
    if (!pid) return false;
    const std::string running = "/proc/" + std::to_string(*pid) + "/exe";
    return same_file(running.c_str(), (*directory + "/" + name).c_str());
  };
  if (runs(vars->manager_pid, "usvc-manager") && runs(vars->keeper_pid, "usvc-keeper")) return {};
  auto upgraded = Remote(context_, NoInstance::refuse, "upgrade").upgrade(*directory);
  if (!upgraded) return pass(upgraded);
  return {};
}

void Foreground::pass_complaints_on() {
  struct stat info {};
  if (::stat(context_.layout.instance_log.c_str(), &info) != 0) return;
  if (info.st_size < told_) told_ = 0;  // somebody has emptied it
  const auto text = read_range(context_.layout.instance_log, told_, most_complaints);
  if (!text || text->empty()) return;
  told_ = text->size() < most_complaints ? told_ + static_cast<off_t>(text->size()) : std::max(told_, info.st_size);
  (void)write_all(FdRef(STDERR_FILENO), *text);  // nobody is left to be told if that fails
}

// Its end is what ends or interrupts the instance; a replaced manager shows nowhere.
void Foreground::find_keeper() {
  const auto keeper = last_process(context_.layout.keeper_pid, "usvc-keeper");
  if (!keeper) return;
  keeper_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, keeper->pid, 0)));
  const auto again = last_process(context_.layout.keeper_pid, "usvc-keeper");
  if (!again || again->pid != keeper->pid || again->start_ticks != keeper->start_ticks) keeper_.reset();
}

// True when it is to end.
bool Foreground::take_signals() {
  bool end = false;
  std::array<signalfd_siginfo, 8> signals{};
  for (;;) {
    const ssize_t got = ::read(signals_.get(), signals.data(), sizeof signals);
    if (got <= 0) break;
    const auto count = static_cast<std::size_t>(got) / sizeof(signalfd_siginfo);
    for (std::size_t i = 0; i < count; ++i) end = end || signals.at(i).ssi_signo != SIGCHLD;
  }
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  return end;
}

Result<int> Foreground::shut_down() {
  auto reply = Remote(context_, NoInstance::refuse, "shut down").shutdown();
  if (!reply && !instance_runs(context_.layout)) return 0;
  if (!reply) return pass(reply);
  Context quietly = context_;
  quietly.quiet = true;
  quietly.json = false;
  auto status = report(quietly, *reply, {"stop", "stopped"});
  if (!status) return status;
  if (auto ended = await_instance_end(context_.layout); !ended) return pass(ended);
  if (auto ended = end_session(context_.layout); !ended) return pass(ended);
  return status;
}

Result<int> Foreground::asked_to_end() {
  if (manager_.restarting()) return 0;
  manager_.tell("STOPPING=1");
  auto status = shut_down();
  pass_complaints_on();
  return status;
}

Status Foreground::start_again() {
  complain("the instance has been killed; it is started again");
  if (auto waited = watch_.wait(mourning, {signals_}); !waited) return pass(waited);
  auto jobs = Remote(context_, NoInstance::start).jobs({});
  if (!jobs) return pass(jobs);
  return {};
}

Result<int> Foreground::run() {
  if (auto begun = begin(); !begun) return pass(begun);
  manager_.tell("READY=1");
  for (;;) {
    pass_complaints_on();
    if (!keeper_) {
      find_keeper();
      if (!keeper_ && !instance_runs(context_.layout)) {
        if (::access(context_.layout.keeper_pid.c_str(), F_OK) != 0) return 0;  // it has been shut down
        if (auto started = start_again(); !started) return pass(started);
        continue;
      }
    }
    const auto longest = keeper_ ? std::optional<Duration>() : std::optional<Duration>(replacement_pause);
    if (auto waited = watch_.wait(longest, {signals_, keeper_}); !waited) return pass(waited);
    if (take_signals()) return asked_to_end();
    if (keeper_ && ready_now(keeper_)) keeper_.reset();
  }
}

}  // namespace

Result<int> stay_in_foreground(Context& context) {
  // Before anything is started: what comes meanwhile is not lost.
  auto signals = open_signals();
  if (!signals) return pass(signals);
  auto watch = Watch::create();
  if (!watch) return pass(watch);
  return Foreground(context, std::move(*signals), std::move(*watch)).run();
}

}  // namespace usvc
