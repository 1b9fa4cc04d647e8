// What is said to tmux, as pure functions: which windows a session is to have, by which commands it gets them, what its
// configuration is, and what tmux's complaints mean.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace usvc::tmux {

using Words = std::vector<std::string>;

// A session of an instance's own server. Those who only look have one of their own: the windows of the other would take
// their keys.
struct Session {
  std::string name;
  Words program;  // usvc, by its path
  bool read_only = false;
  bool has_console = true;
};
// `has_console`: the first window of the one is the console, else, as that of the other, the events.
std::vector<Session> sessions_of(const std::string& program, bool has_console);
Words first_window(const Session& session);  // what runs in window 0
std::string first_window_name(const Session& session);

// What the option @usvc_window says of a window: the job's name, or that it is the first one. Job names have no colon.
inline constexpr char first_mark[] = ":first";
struct Window {
  std::string id;    // "@3"
  std::string mark;  // empty: somebody else's
};
inline constexpr char window_format[] = "#{window_id} #{@usvc_window}";
std::vector<Window> parse_windows(std::string_view listing);

// The commands that make a session's windows those of the jobs (natural order, and so are the windows'); none: they
// are.
std::vector<Words> bring_in_step(const Session& session, const std::vector<Window>& windows,
                                 const std::vector<std::string>& jobs);
// A new session with its first window.
Words new_session(const Session& session);

// One word, or a line of words, as a tmux configuration file has them.
std::string quote(std::string_view word);
std::string line_of(const Words& words);
// The configuration of an instance's server.
std::string configuration(std::string_view title);

enum class Trouble {
  none,
  no_server,   // nobody listens there
  no_session,  // there is a server, but not this session
  duplicate,   // somebody was faster in making it
  unusable,    // a server of another version, or one that is just ending
  other,
};
Trouble trouble_of(int exit_status, std::string_view output);

// The socket of the tmux this program runs in, from the variable TMUX; empty: in none.
std::string outer_socket(std::string_view variable);
// And its process.
std::optional<pid_t> outer_server(std::string_view variable);

// run-shell takes formats in its command.
std::string without_formats(std::string_view text);

}  // namespace usvc::tmux
