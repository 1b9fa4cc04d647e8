// The words that choose jobs: a job's name, a group, all, live, dead, 'glob*', state:STATE.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "job/state.h"

namespace usvc {

// What a selector may look at. Borrows its names from the caller.
struct JobRef {
  std::string_view name;
  std::string_view group;
  JobState state = JobState::stopped;
  bool live = false;  // is_live(state), or a process of it was seen
  bool has_conf = true;
};

class Selector {
 public:
  // An unknown state is ErrorKind::usage, and so is an empty word. Whether a job of that name exists is not asked here.
  static Result<Selector> parse(std::string_view word);

  [[nodiscard]] bool matches(const JobRef& job) const;
  // It tells a kind of jobs, not one that must be there.
  [[nodiscard]] bool may_be_empty() const { return kind_ != Kind::name_or_group && kind_ != Kind::glob; }
  // The ErrorKind::no_match error for a selector that matched none of `jobs`, with the nearest name if there is one.
  [[nodiscard]] Error no_match(std::span<const JobRef> jobs) const;

 private:
  enum class Kind { name_or_group, all, live, dead, glob, state };

  Selector(Kind kind, std::string_view word) : kind_(kind), word_(word) {}

  Kind kind_;
  std::string word_;
  JobState state_ = JobState::stopped;
};

// The names of the jobs that any of the words matches: natural order, each once. Every name, group and glob must match
// something, and all of them together too. No words, no jobs.
Result<std::vector<std::string>> select(std::span<const std::string> words, std::span<const JobRef> jobs);

// A word that means the job of this name alone: a bare name would mean the group that is called so too.
std::string exactly(std::string_view name);

// Shell patterns: * ? [abc] [a-z] [!a-z], and \ before a character that is meant literally. An unclosed [ is literal.
// Time is at most proportional to the product of the two lengths.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace usvc
