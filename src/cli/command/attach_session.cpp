#include "cli/command/attach_session.h"

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/lookup.h"
#include "base/program.h"
#include "base/text.h"
#include "cli/caller.h"
#include "cli/command.h"
#include "cli/command/session_watch.h"
#include "proc/host.h"
#include "terminal/tmux_server.h"

namespace usvc {

namespace {

using tmux::Session;
using tmux::Trouble;
using tmux::Words;

Result<std::string> find_tmux() {
  const char* path = std::getenv("PATH");
  auto program = find_command("tmux", "/", path == nullptr ? default_path : path);
  if (program) return program;
  return fail(Error("attach without a JOB needs tmux, which is not installed")
                  .hint("apt install tmux; without it: usvc attach JOB, usvc log -f JOB, usvc top"));
}

Status check_terminal() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
    return fail(Error("a terminal is needed, and standard input or output is none").hint("usvc log -f JOB needs none"));
  }
  const char* term = std::getenv("TERM");
  const std::string_view kind = term == nullptr ? "" : term;
  if (!kind.empty() && kind != "dumb") return {};
  return fail(
      Error(kind.empty() ? "TERM is not set: tmux cannot tell how to draw" : "TERM is dumb: tmux cannot draw on it")
          .hint("export TERM=xterm-256color, say; usvc log -f JOB works without"));
}

// What tmux and all it starts get: the instance's name, and nothing of a job's that this may have been typed in; by
// USVC_RUN they would be taken for that job's.
Status clean_environment(const Context& context) {
  for (const auto& variable : caller_environment()) {
    const std::string name = variable.substr(0, variable.find('='));
    if (name.starts_with("USVC_") && name != "USVC_ALLOW_ROOT") (void)::unsetenv(name.c_str());
  }
  const bool failed = (context.home && ::setenv("USVC_HOME", context.home->c_str(), 1) != 0) ||
                      (::geteuid() == 0 && ::setenv("USVC_ALLOW_ROOT", "1", 1) != 0);
  if (failed) return fail(Error::last("cannot set tmux's environment"));
  return {};
}

tmux::Server server_of(const Layout& layout, const std::string& program) {
  return {program, layout.tmux_socket, layout.run_dir + "/tmux.conf"};
}

// With a server that this starts, or in one that runs.
Status make_session(const Context& context, const tmux::Server& server, const Session& session) {
  const std::string title = host_name() + (context.home ? " " + *context.home : std::string());
  const std::string configuration = context.layout.run_dir + "/tmux.conf";
  if (auto written = write_file_atomically(configuration, tmux::configuration(title), Flush::no); !written) {
    return written;
  }
  auto made = server.run(tmux::new_session(session));
  if (!made) return pass(made);
  return made->trouble == Trouble::duplicate ? Status() : tmux::Server::status_of(*made);
}

Status ensure_session(const Context& context, const tmux::Server& server, const Session& session) {
  for (bool again = false;; again = true) {
    auto there = server.run({"has-session", "-t", "=" + session.name});
    if (!there) return pass(there);
    if (there->trouble == Trouble::none) return {};
    const bool replace = there->trouble == Trouble::unusable || there->trouble == Trouble::other;
    if (replace && again) return tmux::Server::status_of(*there);
    if (replace) {
      if (auto ended = tmux::end_server(context.layout.tmux_socket); !ended) return ended;
      continue;
    }
    auto made = make_session(context, server, session);
    if (made || again) return made;
  }
}

Status ensure_watcher(const Context& context, const tmux::Server& server, const std::string& program) {
  auto asked = server.run({"display-message", "-p", "#{pid}"});
  if (!asked) return pass(asked);
  const auto pid = parse_integer<pid_t>(trim(asked->output));
  if (pid && SessionWatch::at_work(context.layout, *pid)) return SessionWatch::nudge(context.layout);
  // In the background of its shell: a server that ends waits for the commands it has started.
  const std::string command = shell_quote(program) + " tmux-windows </dev/null >/dev/null 2>&1 &";
  auto begun = server.run({"run-shell", "-b", tmux::without_formats(command)});
  if (!begun) return pass(begun);
  return tmux::Server::status_of(*begun);
}

Status select_window(const tmux::Server& server, const std::string& window) {
  auto selected = server.run({"select-window", "-t", window});
  if (!selected) return pass(selected);
  return tmux::Server::status_of(*selected);
}

// Its id, among what list-windows has told; empty: none has the mark.
std::string marked_window(const std::string& listed, const std::string& mark) {
  for (const auto& window : tmux::parse_windows(listed)) {
    if (window.mark == mark) return window.id;
  }
  return {};
}

Error execute(const Words& words) {
  ::execv(words.front().c_str(), argument_pointers(words).data());
  return Error::last("cannot execute " + words.front());
}

// The socket of the tmux this runs in; empty: in none.
std::string surrounding_tmux() {
  const char* variable = std::getenv("TMUX");
  return tmux::outer_socket(variable == nullptr ? "" : variable);
}

bool is_own(const Context& context, const std::string& socket) {
  return !socket.empty() && same_file(socket.c_str(), context.layout.tmux_socket.c_str());
}

// In the tmux this runs in. False: it is gone, and only its variables are left.
Result<bool> open_inside(const Context& context, const tmux::Server& outer, const Session& session) {
  auto listed = outer.run({"list-windows", "-F", tmux::window_format});
  if (!listed) return pass(listed);
  if (listed->trouble != Trouble::none) return false;
  const std::string mark = context.layout.tmux_socket;
  std::string id = marked_window(listed->output, mark);
  if (id.empty()) {
    Words make = {"new-window", "-P", "-F", "#{window_id}", "-n", "usvc"};
    if (context.home) make.insert(make.end(), {"-e", "USVC_HOME=" + *context.home});
    if (::geteuid() == 0) make.insert(make.end(), {"-e", "USVC_ALLOW_ROOT=1"});
    const Words program = tmux::first_window(session);
    make.insert(make.end(), program.begin(), program.end());
    auto made = outer.run(make);
    if (!made) return pass(made);
    if (auto status = tmux::Server::status_of(*made); !status) return pass(status);
    id = std::string(trim(made->output));
    if (auto marked = outer.run({"set-option", "-w", "-t", id, "@usvc_window", mark}); !marked) return pass(marked);
  }
  if (auto selected = select_window(outer, id); !selected) return pass(selected);
  return true;
}

}  // namespace

Result<int> attach_session(const Context& context, Typing typing) {
  auto found = find_tmux();
  if (!found) return pass(found);
  const std::string program = program_beside("usvc");
  const auto sessions = tmux::sessions_of(program, find_command_named("console") != nullptr);
  const Session& session = typing == Typing::read_only ? sessions.back() : sessions.front();
  if (auto made = ensure_private_dir(context.layout.run_dir); !made) return pass(made);
  if (auto cleaned = clean_environment(context); !cleaned) return pass(cleaned);
  const auto server = server_of(context.layout, *found);

  const std::string outer = surrounding_tmux();
  if (is_own(context, outer)) {
    if (auto selected = select_window(server, "=" + session.name + ":0"); !selected) return pass(selected);
    return 0;
  }
  if (!outer.empty()) {
    auto opened = open_inside(context, {*found, outer, "/dev/null"}, session);
    if (!opened) return pass(opened);
    if (*opened) return 0;
  }
  for (const char* stale : {"TMUX", "TMUX_PANE"}) (void)::unsetenv(stale);

  if (auto good = check_terminal(); !good) return pass(good);
  if (auto ensured = ensure_session(context, server, session); !ensured) return pass(ensured);
  if (auto watched = ensure_watcher(context, server, program); !watched) return pass(watched);
  return fail(execute(server.command_line({"attach-session", "-t", "=" + session.name})));
}

Result<bool> show_job_window(const Context& context, const std::string& job) {
  if (!is_own(context, surrounding_tmux())) return false;
  auto found = find_tmux();
  if (!found) return pass(found);
  const auto server = server_of(context.layout, *found);
  auto listed = server.run({"list-windows", "-F", tmux::window_format});
  if (!listed) return pass(listed);
  if (auto status = tmux::Server::status_of(*listed); !status) return pass(status);
  if (const std::string window = marked_window(listed->output, job); !window.empty()) {
    if (auto selected = select_window(server, window); !selected) return pass(selected);
    return true;
  }
  return fail(Error(job + " has no window: it does not run").hint("usvc log " + job + " shows what it wrote"));
}

Result<bool> leave_session(const Context& context) {
  if (!is_own(context, surrounding_tmux())) return false;
  auto found = find_tmux();
  if (!found) return pass(found);
  auto left = server_of(context.layout, *found).run({"detach-client"});
  if (!left) return pass(left);
  if (auto status = tmux::Server::status_of(*left); !status) return pass(status);
  return true;
}

Status end_session(const Layout& layout) {
  if (::access(layout.tmux_socket.c_str(), F_OK) != 0) return {};
  return tmux::end_server(layout.tmux_socket);
}

}  // namespace usvc
