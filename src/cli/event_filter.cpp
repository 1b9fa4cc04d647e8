#include "cli/event_filter.h"

#include <algorithm>

#include "cli/remote.h"
#include "job/selector.h"

namespace usvc {

bool word_means(const std::string& word, const std::string& name) {
  if (word == name || glob_match(word, name)) return true;
  if (!name.starts_with(word + "-") || name.size() == word.size() + 1) return false;
  return std::all_of(name.begin() + static_cast<std::ptrdiff_t>(word.size()) + 1, name.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

Result<EventFilter> EventFilter::create(const Context& context, const std::vector<std::string>& words) {
  EventFilter filter;
  filter.all_ = words.empty() || std::find(words.begin(), words.end(), "all") != words.end();
  if (filter.all_) return filter;
  for (const auto& word : words) {
    auto jobs = look_at(context, {word});
    if (!jobs && jobs.error().kind() != ErrorKind::no_match) return pass(jobs);
    if (!jobs) {
      filter.past_.emplace_back(word, std::move(jobs).error());
      continue;
    }
    for (const auto& job : *jobs) filter.names_.insert(job.name);
    // A group or pattern may have lost members.
    Past past(word);
    past.found = true;
    filter.past_.push_back(std::move(past));
  }
  return filter;
}

bool EventFilter::shows(const Event& event) {
  if (all_) return true;
  if (!event.job) return false;
  if (names_.contains(*event.job)) return true;
  bool shown = false;
  for (auto& past : past_) {
    if (!word_means(past.word, *event.job)) continue;
    past.found = true;
    shown = true;
  }
  return shown;
}

Status EventFilter::found_all() const {
  for (const auto& past : past_) {
    if (!past.found) return fail(past.error);
  }
  return {};
}

}  // namespace usvc
