#include "cli/words.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/signals.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/terminal.h"
#include "job/run_id.h"

namespace usvc {

namespace {

constexpr double recent = 3600;
constexpr double recovered = 600;  // of one that runs again

std::string killed_words(const std::string& signal, bool core, bool oom) {
  return "killed by " + printable(signal) + (core ? " (core dumped)" : oom ? " (out of memory)" : "");
}

bool failed(const ExitView& exit) {
  return exit.reason || exit.signal || (exit.code && *exit.code != 0);
}

std::string exited_words(const Event& event) {
  std::string text = "exited: ";
  if (of_pre_hook(event)) {
    text = printable(*event.message);
  } else if (event.signal) {
    text += killed_words(*event.signal, event.core.value_or(false), event.oom.value_or(false));
  } else if (event.code) {
    text += fmt::format("exit {}", *event.code);
  } else {
    text += event.message ? printable(*event.message) : "exit status unknown";
  }
  if (event.ran) text += " after " + seconds_words(*event.ran);
  if (event.asked.value_or(false)) text += ", as asked";
  if (event.forced.value_or(false)) text += " (the stop signal was not enough)";
  if (event.cpu) text += ", CPU " + seconds_words(*event.cpu);
  if (event.max_rss_bytes && *event.max_rss_bytes > 0) {
    text += ", peak " + format_size(static_cast<std::uint64_t>(*event.max_rss_bytes));
  }
  return text;
}

}  // namespace

std::string exit_words(const ExitView& exit) {
  if (of_pre_hook(exit)) return printable(*exit.reason);
  if (exit.signal) return killed_words(*exit.signal, exit.core, exit.oom.value_or(false));
  if (exit.code) return fmt::format("exit {}", *exit.code);
  if (exit.reason) return "not started: " + printable(*exit.reason);
  return "exit status unknown";
}

int shell_status(const ExitView& exit) {
  if (exit.code) return static_cast<int>(*exit.code & 0xff);
  if (exit.signal) {
    const auto number = parse_signal(*exit.signal);
    return number ? 128 + *number : 125;
  }
  return exit.reason ? 126 : 125;
}

std::string trouble_words(const JobView& job, double now) {
  if (job.trouble && !job.trouble->empty()) return printable(*job.trouble);
  const bool down = job.state == "waiting" || job.state == "invalid" || (job.state == "dead" && job.wanted);
  const bool asked = job.last_exit && job.last_exit->asked.value_or(false);
  const double remembered = job.state == "running" ? recovered : recent;
  const bool died_lately = job.deaths_in_a_row > 0 && job.last_exit && now - job.last_exit->at < remembered;
  // Somebody's Ctrl-C, and that was the end of it.
  const bool interrupted = job.state == "stopped" && job.last_exit && job.last_exit->signal == "INT";
  if (interrupted || (!down && !died_lately)) return {};
  if (!job.last_exit || asked) return down ? job.state : std::string();
  // One that is started again although all went well is in no trouble.
  if (!failed(*job.last_exit) && job.deaths_in_a_row == 0 && job.state == "waiting") return {};
  std::string text = exit_words(*job.last_exit);
  if (job.deaths_in_a_row > 1) {
    text += fmt::format(", {} times", job.deaths_in_a_row);
    if (job.first_death_in_row_at) text += " in " + format_age(std::max(0.0, now - *job.first_death_in_row_at));
  }
  return text;
}

std::string status_words(const JobView& job, double now) {
  if (job.state == "running") return job.kernel_state.value_or("running");
  if (job.state == "waiting" && job.waiting_until) {
    return fmt::format("waiting {}", format_age(std::max(0.0, std::ceil(*job.waiting_until - now))));
  }
  return job.state;
}

std::string event_words(const Event& event) {
  const std::string message = event.message ? printable(*event.message) : std::string();
  const auto with_message = [&](std::string text) { return message.empty() ? text : text + ": " + message; };
  if (event.event == "exited") return exited_words(event);
  if (event.event == "waiting" && event.until) {
    const double wait = *event.until - event.t;
    return with_message("waiting " + seconds_words(wait < 1 ? wait : std::round(wait * 10) / 10));
  }
  if (event.event == "running") {
    std::string text = event.pid ? fmt::format("started, pid {}", *event.pid) : "started";
    // By which `log --run` knows it.
    const auto id = event.run_id ? parse_run_id(*event.run_id) : Result<RunId>(fail("none"));
    if (id) text += fmt::format(", run {}", id->number);
    return with_message(std::move(text));
  }
  if (event.event == "adopted") {
    return with_message(event.pid ? fmt::format("adopted, pid {}", *event.pid) : "adopted");
  }
  if (event.event == "manager-started" || event.event == "keeper-started") {
    std::string text = event.event == "manager-started" ? "manager started" : "keeper started";
    if (event.pid) text += fmt::format(", pid {}", *event.pid);
    return with_message(std::move(text));
  }
  return with_message(printable(event.event));
}

std::string event_line_for_people(const Event& event, std::size_t name_width) {
  const std::string name = event.job ? printable(*event.job) : "usvc";
  const std::size_t width = display_width(name);
  std::string line = format_time(event.t, true) + "  " + name;
  line.append(name_width > width ? name_width - width : 0, ' ');
  return line + "  " + event_words(event);
}

}  // namespace usvc
