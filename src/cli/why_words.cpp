#include "cli/why_words.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/text.h"
#include "base/time.h"
#include "cli/terminal.h"
#include "cli/words.h"

namespace usvc {

namespace {

std::string ago(double then, double now) {
  return fmt::format("{} ago ({})", seconds_words(std::max(0.0, now - then)), format_time(then));
}

// "exited with status 1 after 0.02 s", "was killed by SEGV (core dumped) after 3 s".
std::string ended_words(const ExitView& exit) {
  if (exit.reason && !exit.code && !exit.signal) return "could not be started: " + printable(*exit.reason);
  if (of_pre_hook(exit)) return "came to nothing: " + printable(*exit.reason) + " after " + seconds_words(exit.ran);
  std::string text = "ended in a way nobody saw";
  if (exit.signal)
    text = "was killed by " + printable(*exit.signal) +
           (exit.core  ? " (core dumped)"
            : exit.oom ? " because memory had run out"
                       : "");
  if (exit.code) text = *exit.code == 0 ? "exited with success" : fmt::format("exited with status {}", *exit.code);
  return text + " after " + seconds_words(exit.ran);
}

// Wanted, and at rest all the same: there is no instance that could run it.
bool instance_is_down(const JobView& job, const Background& background) {
  return job.state == "stopped" && job.wanted && !background.instance_runs;
}

// The same under an instance: its conf has been mended since.
bool was_invalid(const JobView& job, const Background& background) {
  return job.state == "stopped" && job.wanted && background.instance_runs;
}

// It was running when its instance went down, and how its run ended nobody has noted.
bool was_lost(const JobView& job, const Background& background) {
  return instance_is_down(job, background) && job.run_id && !(job.last_exit && job.last_exit->run_id == job.run_id);
}

std::string last_end_words(const JobView& job, const Background& background) {
  if (!job.last_exit) return {};
  const ExitView& exit = *job.last_exit;
  std::string text = fmt::format("{} {}, {}", was_lost(job, background) ? "The run before that" : "Its last run",
                                 ended_words(exit), ago(exit.at, background.now));
  if (exit.asked.value_or(false)) text += ", because usvc was asked to end it";
  if (exit.forced.value_or(false)) text += " and the stop signal was not enough";
  text += '.';
  if (of_pre_hook(exit)) {
    text += fmt::format(" The program itself was not started. What the hook printed is in {}", printable(job.log));
    if (exit.run_id) text += fmt::format(" (usvc logchunk {})", printable(*exit.run_id));
    text += '.';
  }
  return text;
}

std::string deaths_words(const JobView& job, const Background& background) {
  if (job.deaths == 0) return {};
  std::string text = job.deaths == 1 ? "It has died once" : fmt::format("It has died {} times", job.deaths);
  text += job.runs == 1 ? " in 1 run" : fmt::format(" in {} runs", job.runs);
  if (job.deaths_in_a_row > 1) {
    text += fmt::format(", the last {} in a row", job.deaths_in_a_row);
    if (job.first_death_in_row_at) {
      text += " within " + seconds_words(std::max(0.0, background.now - *job.first_death_in_row_at));
    }
  }
  return text + ".";
}

std::string running_words(const JobView& job, const Background& background) {
  std::string text = job.name + " is running";
  if (job.kernel_state && *job.kernel_state != "running") text += " (" + *job.kernel_state + ")";
  if (job.pid) text += fmt::format(" as process {}", *job.pid);
  if (job.started_at) text += ", started " + ago(*job.started_at, background.now);
  return text + ".";
}

std::string stopped_words(const JobView& job, const Background& background) {
  const bool asked = job.last_exit && job.last_exit->asked.value_or(false);
  if (job.runs == 0) return job.name + " is stopped and has never run.";
  if (was_invalid(job, background)) {
    return job.name + " is stopped: its conf could not be used when it was to be started.";
  }
  if (was_lost(job, background)) {
    return job.name +
           " is not running: usvc's own processes have ended while it ran, or the machine has been booted anew.";
  }
  if (instance_is_down(job, background)) return job.name + " is not running, as its instance is not.";
  if (asked) return job.name + " is stopped: it was asked to.";
  if (background.stopped) return fmt::format("{} is stopped since {}.", job.name, format_time(background.stopped->t));
  return job.name + " is stopped.";
}

std::string state_words(const JobView& job, const Background& background) {
  if (job.state == "running") return running_words(job, background);
  if (job.state == "stopped") return stopped_words(job, background);
  if (job.state == "waiting") return job.name + " is not running: it is waiting to be started again.";
  if (job.state == "invalid") {
    return fmt::format("{} cannot be started: {}.", job.name, printable(job.trouble.value_or("its conf is not valid")));
  }
  if (job.state == "starting") return job.name + " is just being started.";
  if (job.state == "pre-run") return job.name + " is being started: its pre-cmd runs.";
  if (job.state == "post-run") return job.name + " has ended: its post-cmd runs.";
  if (job.state == "stopping") return job.name + " is being stopped.";
  if (job.state == "dead") return job.name + " has ended.";
  return fmt::format("{} is {}.", job.name, job.state);
}

void append(std::string& text, const std::string& sentence) {
  if (sentence.empty()) return;
  if (!text.empty()) text += ' ';
  text += sentence;
}

std::string never_again_words(const JobView& job) {
  if (job.restart == "never") return "usvc does not start it again: it is to run once only.";
  if (job.restart == "on-failure" && job.last_exit && job.last_exit->code == 0) {
    return "usvc does not start it again: it is restarted only when it fails, and it did not.";
  }
  return fmt::format("usvc does not start it again by itself (usvc start {}).", job.name);
}

std::string with_the_instance_words(const JobView& job, const Background& background) {
  const bool lost = was_lost(job, background);
  if (lost && job.restart == "never") return never_again_words(job);
  return fmt::format("usvc starts it again with the instance: usvc init, or the next start, load or run{}.",
                     lost ? "; what is still left of it is ended before" : "");
}

std::string after_its_end_words(const JobView& job) {
  if (job.restart == "never") return "When it ends it is not started again.";
  if (job.restart == "on-failure") return "When it fails usvc starts it again.";
  return "When it ends usvc starts it again.";
}

}  // namespace

std::string why_state(const JobView& job, const Background& background) {
  std::string text;
  append(text, state_words(job, background));
  append(text, last_end_words(job, background));
  append(text, deaths_words(job, background));
  if (job.state != "invalid" && job.trouble) append(text, "There is trouble: " + printable(*job.trouble) + ".");
  if (background.last_error && background.last_error->message && job.state != "running") {
    append(text, "usvc noted: " + printable(*background.last_error->message) + ".");
  }
  return text;
}

std::string why_next(const JobView& job, const Background& background) {
  if (job.state == "waiting" && job.waiting_until) {
    const double left = std::max(0.0, std::ceil(*job.waiting_until - background.now));
    return fmt::format("usvc starts it again in {}, at {}.", seconds_words(left), format_time(*job.waiting_until));
  }
  if (job.state == "invalid") return fmt::format("Correct {}, then: usvc start {}.", job.conf, job.name);
  if (instance_is_down(job, background)) return with_the_instance_words(job, background);
  if (was_invalid(job, background)) return fmt::format("To start it: usvc start {}.", job.name);
  if (job.state == "stopped") return never_again_words(job);
  if (job.state == "stopping") {
    return job.wanted ? "When nothing is left of it usvc starts it again." : "When nothing is left of it it stays so.";
  }
  if (job.state == "running") return after_its_end_words(job);
  return job.wanted ? "usvc goes on with it right away." : never_again_words(job);
}

std::string why_text(const JobView& job, const Background& background) {
  std::string text = why_state(job, background);
  if (background.last_output.empty()) {
    append(text, why_next(job, background));
    return text + "\n";
  }
  append(text, "It last printed:\n");
  for (const auto& line : background.last_output) text += "    " + tame(line, false) + "\n";
  return text + why_next(job, background) + "\n";
}

}  // namespace usvc
