// Which journal lines `events` shows: those of the chosen jobs, also of jobs that exist no more.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/context.h"
#include "shapes/event.h"

namespace usvc {

class EventFilter {
 public:
  // No words: everything is shown. A word that names no job now may be the name, the group or the pattern of jobs that
  // were cleaned; its error is kept until its events have been looked for.
  static Result<EventFilter> create(const Context& context, const std::vector<std::string>& words);
  // For tests: names of jobs there are, and words that matched none of them.
  EventFilter(std::set<std::string, std::less<>> names, std::vector<std::string> past)
      : all_(false), names_(std::move(names)), past_(past.begin(), past.end()) {}

  [[nodiscard]] bool shows(const Event& event);
  // The error of the first word for which neither a job nor an event was found.
  [[nodiscard]] Status found_all() const;

 private:
  struct Past {
    explicit Past(std::string text, Error no_match = Error("")) : word(std::move(text)), error(std::move(no_match)) {}
    std::string word;
    Error error;
    bool found = false;
  };
  EventFilter() = default;

  bool all_ = true;
  std::set<std::string, std::less<>> names_;
  std::vector<Past> past_;
};

// Whether a word means this name: as such, as its group (GROUP-N) or as a pattern.
bool word_means(const std::string& word, const std::string& name);

}  // namespace usvc
