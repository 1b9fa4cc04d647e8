#include "cli/instance.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <vector>

#include "base/files.h"
#include "base/lookup.h"
#include "base/program.h"
#include "base/text.h"
#include "base/watch.h"
#include "log/reader.h"
#include "proc/process.h"

namespace usvc {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr auto start_limit = 20s;
// From its last answer to its last breath.
constexpr auto farewell = 10s;
constexpr off_t last_words = 2000;
constexpr std::string_view manager_says = "usvc-manager: ";
constexpr std::string_view keeper_says = "usvc-keeper: the manager ";

Error unreachable(std::string what) {
  return Error(std::move(what), ErrorKind::unreachable);
}

bool executable(const std::string& path) {
  return ::access(path.c_str(), X_OK) == 0;
}

// The systemd user manager gives a scope whose cgroup is ours to divide; without it the instance would also end with
// the login session on machines that end those.
std::string scope_maker() {
  if (const char* wished = std::getenv("USVC_CGROUP"); wished != nullptr && *wished != '\0') return {};
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime == nullptr || ::access((std::string(runtime) + "/systemd/private").c_str(), F_OK) != 0) return {};
  const char* path = std::getenv("PATH");
  return find_command("systemd-run", "/", path != nullptr ? path : "").value_or("");
}

Status make_directories(const Layout& layout) {
  for (const auto* dir : {&layout.home, &layout.jobs_dir, &layout.logs_dir, &layout.old_logs_dir, &layout.journal_dir,
                          &layout.work_dir, &layout.run_dir}) {
    if (auto status = ensure_private_dir(*dir); !status) {
      return fail(std::move(status).error().context("cannot start the instance").as(ErrorKind::unreachable));
    }
  }
  return {};
}

struct Launch {
  std::vector<std::string> words;
  Fd null;
  Fd log;
  Fd ready;   // the end the manager writes to
  Fd keeper;  // the end the keeper tells its pid by
};

[[noreturn]] void become_keeper(const Launch& launch, char* const* argv) {
  // Between fork and exec: nothing here allocates.
  const bool ok = ::setsid() >= 0 && ::chdir("/") == 0 && ::dup2(launch.null.get(), STDIN_FILENO) >= 0 &&
                  ::dup2(launch.log.get(), STDOUT_FILENO) >= 0 && ::dup2(launch.log.get(), STDERR_FILENO) >= 0 &&
                  ::fcntl(launch.ready.get(), F_SETFD, 0) == 0;
  if (!ok) ::_exit(127);
  const pid_t pid = ::fork();
  if (pid != 0) ::_exit(pid < 0 ? 127 : 0);
  const pid_t self = ::getpid();
  if (::write(launch.keeper.get(), &self, sizeof self) != sizeof self) ::_exit(127);
  ::execv(argv[0], argv);
  ::_exit(127);
}

// Leaves it running with nobody as its parent but init; returns what it can be signalled by.
Result<Fd> spawn_detached(Launch& launch) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Error::last("cannot start the instance").as(ErrorKind::unreachable));
  }
  const Fd reading(ends[0]);
  launch.keeper = Fd(ends[1]);
  std::vector<char*> argv = argument_pointers(launch.words);
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Error::last("cannot start the instance").as(ErrorKind::unreachable));
  if (pid == 0) become_keeper(launch, argv.data());
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  launch.keeper.reset();
  launch.ready.reset();
  pid_t keeper = -1;
  ssize_t got = -1;
  do {
    got = ::read(reading.get(), &keeper, sizeof keeper);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof keeper) {
    return fail(unreachable("cannot start the instance: no process could be made for it"));
  }
  // Without one (it has ended already, say) there is nothing to be signalled.
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, keeper, 0)));
}

// A keeper that was never ready would try for ever, and nobody knows of it.
void give_up(const Fd& keeper, const Layout& layout) {
  if (!keeper) return;
  const auto signal = [&](int number) { (void)::syscall(SYS_pidfd_send_signal, keeper.get(), number, nullptr, 0); };
  signal(SIGSTOP);  // so that it starts none while we look
  const bool only_slow = last_process(layout.manager_pid, "usvc-manager").has_value();
  signal(only_slow ? SIGCONT : SIGKILL);
}

// The line the manager writes when it is ready, or empty when everybody who could write it is gone.
Result<std::string> read_ready_line(const Fd& pipe) {
  std::string line;
  const auto deadline = Clock::now() + start_limit;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd waiting{pipe.get(), POLLIN, 0};
    const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return fail(Error::last("cannot wait for the instance"));
    if (ready == 0) return fail(unreachable("the instance was not ready within 20 s"));
    std::array<char, 512> bytes;
    const ssize_t got = ::read(pipe.get(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::string();
    line.append(bytes.data(), static_cast<std::size_t>(got));
    if (const auto end = line.find('\n'); end != std::string::npos) return line.substr(0, end);
  }
}

Error with_log(Error error, const Layout& layout, off_t log_begin) {
  const auto text = read_range(layout.instance_log, log_begin, last_words);
  std::string last;
  if (text) last = std::string(trim(*text));
  const auto newline = last.rfind('\n');
  if (newline != std::string::npos) last = last.substr(newline + 1);
  if (last.empty()) return std::move(error).hint("see " + layout.instance_log);
  return Error(error.bare_message() + ": " + printable(last), ErrorKind::unreachable)
      .hint("see " + layout.instance_log);
}

enum class Started { ready, already_running, silent };

Result<Started> launch_once(const Context& context, const std::string& scope) {
  auto keeper = helper_program("usvc-keeper");
  if (!keeper) return pass(keeper);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Error::last("cannot start the instance").as(ErrorKind::unreachable));
  }
  const Fd reading(ends[0]);

  Launch launch;
  launch.ready = Fd(ends[1]);
  if (!scope.empty()) {
    launch.words = {scope, "--user", "--scope", "--quiet", "--collect", "-p", "Delegate=yes", "--"};
  }
  launch.words.insert(launch.words.end(), {*keeper, "--ready-fd", std::to_string(launch.ready.get())});
  if (context.home) launch.words.insert(launch.words.end(), {"--home", *context.home});
  auto null = open_file("/dev/null", O_RDONLY);
  if (!null) return pass(null);
  auto log = open_file(context.layout.instance_log, O_WRONLY | O_CREAT | O_APPEND);
  if (!log) return fail(std::move(log).error().context("cannot start the instance").as(ErrorKind::unreachable));
  launch.null = std::move(*null);
  const off_t log_begin = ::lseek(log->get(), 0, SEEK_END);
  launch.log = std::move(*log);
  auto spawned = spawn_detached(launch);
  if (!spawned) return pass(spawned);

  auto line = read_ready_line(reading);
  if (!line) {
    give_up(*spawned, context.layout);
    return fail(with_log(std::move(line).error(), context.layout, log_begin));
  }
  if (*line == "ready") return Started::ready;
  if (line->starts_with("error: already running")) return Started::already_running;
  if (line->starts_with("error: ")) return fail(unreachable("cannot start the instance: " + line->substr(7)));
  if (!scope.empty()) return Started::silent;
  return fail(with_log(unreachable("cannot start the instance: it died"), context.layout, log_begin));
}

}  // namespace

namespace {

// It is there and does not answer.
Error silent(Error error, const Layout& layout) {
  const auto manager = last_process(layout.manager_pid, "usvc-manager");
  if (!manager) return std::move(error).hint("see " + layout.instance_log);
  const std::string pid = std::to_string(manager->pid);
  if (manager->state == 'T') {
    return unreachable("the manager (pid " + pid + ") has been stopped by a signal").hint("kill -CONT " + pid);
  }
  return unreachable("the manager (pid " + pid + ", " + kernel_state(manager->state, manager->flags) +
                     ") does not answer")
      .hint("jobs run on without it; kill -9 " + pid + " has it replaced; see " + layout.instance_log);
}

}  // namespace

Error explain_silence(Error error, const Layout& layout) {
  struct stat info {};
  const bool known = ::stat(layout.instance_log.c_str(), &info) == 0;
  const auto text =
      read_range(layout.instance_log, known ? std::max<off_t>(0, info.st_size - last_words) : 0, last_words);
  std::string reason;
  bool ended = false;
  for (const auto line : split(text ? std::string_view(*text) : "", '\n')) {
    if (line.starts_with(manager_says)) reason = line.substr(manager_says.size());
    if (line.starts_with(keeper_says)) ended = line.find(" ended: ") != std::string_view::npos;
  }
  if (!ended) return silent(std::move(error), layout);
  return unreachable("the manager cannot start" + (reason.empty() ? "" : ": " + printable(reason)))
      .hint("it is tried again; see " + layout.instance_log);
}

bool instance_runs(const Layout& layout) {
  // A shared lock, given up at once with the descriptor: whoever lives holds the exclusive one.
  const auto lock = lock_directory(layout.home, layout.lock, LOCK_SH);
  return !lock && lock.error().code() == EWOULDBLOCK;
}

Result<std::string> helper_directory() {
  std::array<char, 4096> self;
  const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
  if (length <= 0) return fail(Error::last("/proc/self/exe").as(ErrorKind::unreachable));
  std::string prefix(self.data(), static_cast<std::size_t>(length));
  for (int up = 0; up < 2; ++up) prefix.erase(std::min(prefix.size(), prefix.rfind('/')));
  return prefix + "/libexec/usvc";
}

Result<std::string> helper_program(const std::string& name) {
  auto directory = helper_directory();
  if (!directory) return directory;
  std::string path = *directory + "/" + name;
  if (executable(path)) return path;
  return fail(unreachable(path + ": " + (::access(path.c_str(), F_OK) == 0 ? "not executable" : "not there"))
                  .hint("install usvc again"));
}

Status start_instance(const Context& context) {
  if (auto status = make_directories(context.layout); !status) return status;
  std::string scope = context.has_cgroup ? std::string() : scope_maker();
  const auto deadline = Clock::now() + start_limit;
  for (;;) {
    auto started = launch_once(context, scope);
    if (!started) return pass(started);
    if (*started == Started::ready) return {};
    if (*started == Started::silent) {
      scope.clear();
      continue;
    }
    // Another client was quicker, or another looked at the lock just then: once it is free again we try anew.
    if (instance_runs(context.layout) || Clock::now() > deadline) return {};
  }
}

Layout layout_of_running(Layout layout) {
  const auto has_socket = [](const Layout& there) { return ::access(there.socket.c_str(), F_OK) == 0; };
  if (has_socket(layout) || !instance_runs(layout)) return layout;
  const std::string usual = "/run/user/" + std::to_string(::geteuid());
  for (const std::string& runtime : {std::string(), usual}) {
    const auto env = [&](const char* name) {
      return std::string_view(name) == "XDG_RUNTIME_DIR" ? runtime.c_str() : std::getenv(name);
    };
    auto other = Layout::from("", env, "/");
    if (other && has_socket(*other)) return std::move(*other);
  }
  return layout;
}

Status await_instance_end(const Layout& layout) {
  const auto deadline = Clock::now() + farewell;
  while (instance_runs(layout)) {
    if (Clock::now() > deadline) {
      return fail(Error("the instance has not ended yet").hint("see " + layout.instance_log));
    }
    await_socket(layout, 20ms);
  }
  return {};
}

void await_socket(const Layout& layout, Duration longest) {
  auto watch = Watch::create();
  if (!watch || !watch->add_dir(layout.run_dir)) {
    ::poll(nullptr, 0, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(longest).count()));
    return;
  }
  (void)watch->wait(longest);
}

}  // namespace usvc
