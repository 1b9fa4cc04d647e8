#include "terminal/remarks.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/time.h"

namespace usvc {

namespace {

std::string exit_words(const std::string& job, const Event& event) {
  std::string text = job;
  if (of_pre_hook(event)) {
    text += " was not started: " + printable(*event.message);
  } else if (event.signal) {
    text += " was killed by " + printable(*event.signal);
    if (event.core.value_or(false)) text += " (core dumped)";
    if (event.oom.value_or(false)) text += " (out of memory)";
  } else if (event.code) {
    text += " exited with " + std::to_string(*event.code);
  } else if (event.message) {
    text += " could not run: " + printable(*event.message);
  } else {
    text += " ended, how is not known";
  }
  return event.ran ? text + " after " + seconds_words(*event.ran) : text;
}

std::string time_until(double when, double now) {
  return format_age(std::max(0.0, std::ceil(when - now)));
}

std::string how_to_go_on(const std::string& job) {
  return " (Ctrl-D leaves, usvc start " + job + " starts it)";
}

}  // namespace

std::optional<Remark> Remarks::take(const Event& event) {
  if (event.job != job_ || is_record(event)) return std::nullopt;
  if (event.event == "exited") {
    exit_ = exit_words(job_, event);
    return std::nullopt;
  }
  const auto follows = [&](const std::string& words, const std::string& alone) {
    return exit_.empty() ? job_ + alone : std::exchange(exit_, {}) + words;
  };
  Remark remark;
  if (event.event == "starting") {
    remark.run_over = true;
    remark.log_offset = event.log_offset;
    remark.text = follows(", started again", " is started");
  } else if (event.event == "waiting") {
    remark.run_over = true;
    const double wait = event.until ? *event.until - event.t : 0;
    const std::string words = !event.until ? "a moment"
                              : wait < 1   ? seconds_words(wait)
                                           : time_until(*event.until, event.t);
    remark.text = follows(", started again in " + words, " is started again in " + words);
  } else if (event.event == "stopped") {
    remark.run_over = true;
    remark.text = follows(", stopped", " is stopped") + how_to_go_on(job_);
  } else if (event.event == "cleaned") {
    remark.removed = true;
    remark.text = job_ + " was cleaned";
  } else if (event.event == "error" && event.message) {
    remark.text = job_ + ": " + printable(*event.message);
  } else {
    return std::nullopt;
  }
  return remark;
}

std::string standing_words(const JobView& job) {
  if (job.state == "stopped" || job.state == "dead") return job.name + " is stopped" + how_to_go_on(job.name);
  if (job.state == "invalid")
    return job.name + " cannot be started: " + printable(job.trouble.value_or("its conf is bad"));
  if (job.state != "waiting") return {};
  return job.name + " is started again" +
         (job.waiting_until ? " in " + time_until(*job.waiting_until, unix_now()) : std::string(" in a moment"));
}

}  // namespace usvc
