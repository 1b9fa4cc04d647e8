#include "terminal/tmux_commands.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace usvc::tmux {

namespace {

std::string target(const Session& session, std::size_t index) {
  return "=" + session.name + ":" + std::to_string(index);
}

Words window_command(const Session& session, const std::string& job) {
  Words words = session.program;
  words.emplace_back("attach");
  if (session.read_only) words.emplace_back("--read-only");
  words.push_back(job);
  return words;
}

void append(Words& words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
}

// Behind the window with that index; those after it move up.
void insert_window(std::vector<Words>& commands, const Session& session, std::size_t behind, const std::string& name,
                   const std::string& mark, const Words& program) {
  Words made = {"new-window", "-d", "-a", "-t", target(session, behind), "-n", name};
  append(made, program);
  commands.push_back(std::move(made));
  // Nothing comes between two commands of one file: the window is there even if its program has ended already.
  commands.push_back({"set-option", "-w", "-t", target(session, behind + 1), "@usvc_window", mark});
}

}  // namespace

std::vector<Session> sessions_of(const std::string& program, bool has_console) {
  return {{.name = "usvc", .program = {program}, .read_only = false, .has_console = has_console},
          {.name = "usvc-read-only", .program = {program}, .read_only = true, .has_console = false}};
}

Words first_window(const Session& session) {
  Words words = session.program;
  append(words, session.has_console ? Words{"console", "--status"} : Words{"events", "-f"});
  return words;
}

std::string first_window_name(const Session& session) {
  return session.read_only ? "events" : "status";
}

std::vector<Window> parse_windows(std::string_view listing) {
  std::vector<Window> windows;
  for (const auto line : split(listing, '\n')) {
    const auto space = line.find(' ');
    if (!line.starts_with('@')) continue;
    const auto mark = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    windows.push_back({std::string(line.substr(0, space)), std::string(mark)});
  }
  return windows;
}

std::vector<Words> bring_in_step(const Session& session, const std::vector<Window>& windows,
                                 const std::vector<std::string>& jobs) {
  const std::set<std::string_view> wanted(jobs.begin(), jobs.end());
  std::set<std::string_view> there;
  std::vector<Words> ghosts;
  for (const auto& window : windows) {
    if (window.mark.empty()) continue;
    const bool kept = (window.mark == first_mark || wanted.contains(window.mark)) && there.insert(window.mark).second;
    if (!kept) ghosts.push_back({"kill-window", "-t", window.id});
  }
  std::vector<Words> commands;
  const bool has_first = there.contains(first_mark);
  const bool all_there = std::all_of(jobs.begin(), jobs.end(), [&](const auto& job) { return there.contains(job); });
  if (has_first && all_there && ghosts.empty()) return commands;
  // A session without windows ends, so the first one comes before the ghosts go.
  commands.push_back({"move-window", "-r", "-t", "=" + session.name + ":"});
  if (!has_first) {
    insert_window(commands, session, 0, first_window_name(session), first_mark, first_window(session));
    commands.push_back({"swap-window", "-d", "-s", target(session, 0), "-t", target(session, 1)});
  }
  for (auto& ghost : ghosts) commands.push_back(std::move(ghost));
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!there.contains(jobs[i])) {
      insert_window(commands, session, i, jobs[i], jobs[i], window_command(session, jobs[i]));
    }
  }
  return commands;
}

Words new_session(const Session& session) {
  Words words = {"new-session", "-d", "-s", session.name, "-n", first_window_name(session)};
  append(words, first_window(session));
  append(words, {";", "set-option", "-w", "-t", target(session, 0), "@usvc_window", first_mark});
  return words;
}

std::string quote(std::string_view word) {
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string line_of(const Words& words) {
  std::string line;
  for (const auto& word : words) {
    if (!line.empty()) line += ' ';
    line += quote(word);
  }
  return line + "\n";
}

std::string configuration(std::string_view title) {
  // set -q: an option that this tmux does not know yet, or any more, is no error to be shown.
  return R"(set -sq escape-time 20
set -sq exit-empty on
set -gq default-terminal screen-256color
set -sq set-clipboard on
set -saq terminal-features ",*256col*:RGB"
set -gq base-index 0
set -gq renumber-windows on
set -gq destroy-unattached off
set -gq detach-on-destroy on
set -gq history-limit 20000
set -gq mouse on
set -gq focus-events on
set -gq window-size latest
set -gq status-interval 5
set -gq status-left-length 40
set -gq status-left )" +
         quote("[" + without_formats(title) + "] ") + R"(
set -gq status-right "#{@usvc_jobs} %H:%M"
set -gqw automatic-rename off
set -gqw allow-rename off
set -gqw remain-on-exit off
set -gqw aggressive-resize on
bind -n C-d detach-client
bind -n C-l choose-tree -wZ -K "#{?window_format,#{?#{e|<:#{window_index},10},#{window_index},},}"
bind -n C-s copy-mode
bind -n C-] { send-keys C-] ; switch-client -T usvc-as-it-is }
bind -T usvc-as-it-is C-b send-keys C-b
bind -T usvc-as-it-is C-d send-keys C-d
bind -T usvc-as-it-is C-l send-keys C-l
bind -T usvc-as-it-is C-s send-keys C-s
)";
}

Trouble trouble_of(int exit_status, std::string_view output) {
  if (exit_status == 0) return Trouble::none;
  const auto says = [&](std::string_view words) { return output.find(words) != std::string_view::npos; };
  if (says("no server running") || says("error connecting to")) return Trouble::no_server;
  if (says("protocol version mismatch") || says("server exited") || says("lost server")) return Trouble::unusable;
  if (says("duplicate session")) return Trouble::duplicate;
  if (says("can't find session") || says("no sessions")) return Trouble::no_session;
  return Trouble::other;
}

std::string outer_socket(std::string_view variable) {
  // SOCKET,PID,SESSION; a path may have commas too.
  auto end = variable.rfind(',');
  if (end == std::string_view::npos || end == 0) return {};
  end = variable.rfind(',', end - 1);
  return end == std::string_view::npos ? std::string() : std::string(variable.substr(0, end));
}

std::optional<pid_t> outer_server(std::string_view variable) {
  const auto parts = split(variable, ',');
  if (parts.size() < 3) return std::nullopt;
  const auto pid = parse_integer<pid_t>(parts[parts.size() - 2]);
  return pid && *pid > 0 ? pid : std::nullopt;
}

std::string without_formats(std::string_view text) {
  std::string plain;
  for (const char c : text) plain += c == '#' ? "##" : std::string(1, c);
  return plain;
}

}  // namespace usvc::tmux
