#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/program.h"
#include "base/ready.h"
#include "base/time.h"
#include "base/watch.h"
#include "cli/command.h"
#include "cli/command/session_watch.h"
#include "cli/remote.h"
#include "job/state.h"
#include "journal/reader.h"
#include "terminal/tmux_server.h"

namespace usvc::command {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// For windows that have ended by themselves: of what happens to jobs the journal tells at once.
constexpr auto look_anyway = 5s;
// Between two looks, however much happens.
constexpr auto rest = 100ms;
// Each window is a viewer, with a connection to the manager; the others are to be left some.
constexpr std::size_t most_windows = 64;

// The tmux server that started this.
std::optional<pid_t> own_server() {
  const char* variable = std::getenv("TMUX");
  return tmux::outer_server(variable == nullptr ? "" : variable);
}

// None: it is gone.
Fd open_server(std::optional<pid_t> pid) {
  return pid ? Fd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0))) : Fd();
}

// One that waits for its next run keeps its window: whoever looks at it is told, and goes on looking.
bool has_window(const JobView& job) {
  return job.state != to_string(JobState::stopped) && job.state != to_string(JobState::invalid);
}

class Windows {
 public:
  Windows(const Context& context, tmux::Server server, std::vector<tmux::Session> sessions)
      : context_(&context), server_(std::move(server)), sessions_(std::move(sessions)) {}

  // An error is tried again with the next look.
  void bring_in_step() {
    auto reply = Remote(*context_, NoInstance::offline).jobs({});
    if (!reply) return;
    std::vector<std::string> names;
    for (const auto& job : reply->jobs) {
      if (has_window(job)) names.push_back(job.name);
    }
    const std::string count = counted(names.size());
    names.resize(std::min(names.size(), most_windows));
    for (const auto& session : sessions_) {
      auto listed = server_.run({"list-windows", "-t", "=" + session.name, "-F", tmux::window_format});
      if (!listed || listed->trouble != tmux::Trouble::none) continue;
      auto commands = tmux::bring_in_step(session, tmux::parse_windows(listed->output), names);
      if (count != shown_) commands.push_back({"set-option", "-g", "@usvc_jobs", count});
      if (server_.run_all(commands)) shown_ = count;
    }
  }

 private:
  static std::string counted(std::size_t jobs) {
    std::string text = std::to_string(jobs) + (jobs == 1 ? " job" : " jobs");
    if (jobs > most_windows) text += " (the first " + std::to_string(most_windows) + " here)";
    return text;
  }

  const Context* context_;
  tmux::Server server_;
  std::vector<tmux::Session> sessions_;
  std::string shown_;
};

}  // namespace

Result<int> tmux_windows(const Invocation& invocation) {
  if (auto status = need_no_words(invocation, "tmux-windows"); !status) return pass(status);
  const Context& context = invocation.context;
  const auto pid = own_server();
  const Fd server = open_server(pid);
  if (!server) return fail(Error("tmux-windows is for attach to start, in its tmux").hint("usvc attach"));
  const auto place = SessionWatch::enter(context.layout, *pid);
  if (!place) return fail(place.error());
  if (!*place) return 0;
  auto watch = Watch::create();
  if (!watch) return pass(watch);
  if (auto status = watch->add_dir(context.layout.run_dir); !status) return pass(status);
  // Its own server, whichever tmux is first in PATH.
  Windows windows(context, tmux::Server("tmux", context.layout.tmux_socket, "/dev/null"),
                  tmux::sessions_of(program_beside("usvc"), find_command_named("console") != nullptr));
  JournalReader journal(context.layout.journal_dir, [](const std::string& /*complaint*/) {});
  (void)journal.skip_before(unix_now());
  const auto ignore = [](const Event& /*event*/, std::string_view /*line*/) { return Status(); };
  while (!ready_now(server)) {
    // Before the look: what comes during it is seen by the next one.
    (void)journal.follow(*watch, ignore);
    windows.bring_in_step();
    if (ready_within(server, rest)) break;
    auto waited = watch->wait(look_anyway, {server});
    if (!waited) return pass(waited);
  }
  return 0;
}

}  // namespace usvc::command
