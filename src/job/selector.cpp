#include "job/selector.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"

namespace usvc {
namespace {

constexpr std::string_view state_prefix = "state:";

// One element of a pattern (a character, ?, or a bracket expression), tried on one character.
struct Element {
  bool matches = false;
  std::size_t length = 1;  // of the element in the pattern
};

// `pattern` begins with '['. Nothing when the bracket is never closed.
std::optional<Element> try_bracket(std::string_view pattern, char c) {
  const auto as_byte = [](char x) { return static_cast<unsigned char>(x); };
  const bool negated = pattern.size() > 1 && (pattern[1] == '!' || pattern[1] == '^');
  const std::size_t first = negated ? 2 : 1;
  bool found = false;
  // A ] right at the start is a member, not the end.
  for (std::size_t i = first; i < pattern.size(); ++i) {
    if (pattern[i] == ']' && i > first) return Element{found != negated, i + 1};
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      found = found || (as_byte(pattern[i]) <= as_byte(c) && as_byte(c) <= as_byte(pattern[i + 2]));
      i += 2;
    } else {
      found = found || pattern[i] == c;
    }
  }
  return std::nullopt;
}

Element try_element(std::string_view pattern, char c) {
  if (pattern[0] == '?') return {true, 1};
  if (pattern[0] == '[') {
    if (const auto bracket = try_bracket(pattern, c)) return *bracket;
  }
  if (pattern[0] == '\\' && pattern.size() > 1) return {pattern[1] == c, 2};
  return {pattern[0] == c, 1};
}

std::string nearest_name(std::string_view word, std::span<const JobRef> jobs) {
  std::vector<std::string> names;
  names.reserve(jobs.size() * 2);
  for (const JobRef& job : jobs) names.emplace_back(job.name);
  for (const JobRef& job : jobs) names.emplace_back(job.group);
  return nearest(word, names);
}

Result<JobState> parse_state(std::string_view text) {
  if (const auto state = job_state_from(text)) return *state;
  std::vector<std::string> names;
  std::string list;
  for (const JobState state : all_job_states) {
    names.emplace_back(to_string(state));
    list += (list.empty() ? "" : ", ") + names.back();
  }
  const std::string near = nearest(text, names);
  return fail(Error("no state is called '" + printable(text) + "'", ErrorKind::usage)
                  .hint(near.empty() ? list : "did you mean '" + near + "'?"));
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t position = 0;
  // Where to go on when what follows the last * does not fit: one character further along. Earlier stars never need to
  // be tried again.
  std::optional<std::pair<std::size_t, std::size_t>> retry;
  while (position < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      retry = {++at, position};
      continue;
    }
    if (at < pattern.size()) {
      const Element element = try_element(pattern.substr(at), text[position]);
      if (element.matches) {
        at += element.length;
        ++position;
        continue;
      }
    }
    if (!retry) return false;
    at = retry->first;
    position = ++retry->second;
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

Result<Selector> Selector::parse(std::string_view word) {
  if (word.empty()) {
    return fail(Error("an empty word selects no job", ErrorKind::usage)
                    .hint("a job, a group, all, live, dead, 'glob*' or state:STATE"));
  }
  if (word == "all") return Selector(Kind::all, word);
  if (word == "live") return Selector(Kind::live, word);
  if (word == "dead") return Selector(Kind::dead, word);
  if (word.starts_with(state_prefix)) {
    auto state = parse_state(word.substr(state_prefix.size()));
    if (!state) return pass(state);
    Selector selector(Kind::state, word);
    selector.state_ = *state;
    return selector;
  }
  const bool has_wildcard = word.find_first_of("*?[") != std::string_view::npos;
  return Selector(has_wildcard ? Kind::glob : Kind::name_or_group, word);
}

bool Selector::matches(const JobRef& job) const {
  switch (kind_) {
    case Kind::name_or_group:
      return job.name == word_ || job.group == word_;
    case Kind::all:
      return true;
    case Kind::live:
      return job.live;
    case Kind::dead:
      return job.has_conf && !job.live;
    case Kind::glob:
      return glob_match(word_, job.name);
    case Kind::state:
      return job.state == state_;
  }
  return false;
}

Error Selector::no_match(std::span<const JobRef> jobs) const {
  const auto error = [](std::string message) { return Error(std::move(message), ErrorKind::no_match); };
  switch (kind_) {
    case Kind::all:
      return error("there are no jobs").hint("usvc start CMD makes one");
    case Kind::live:
      return error("no job is running");
    case Kind::dead:
      return error(jobs.empty() ? "there are no jobs" : "no job is dead");
    case Kind::glob:
      return error("no job's name matches '" + printable(word_) + "'");
    case Kind::state:
      return error("no job is in the state '" + std::string(to_string(state_)) + "'");
    case Kind::name_or_group:
      break;
  }
  const std::string near = nearest_name(word_, jobs);
  return error("no job is called '" + printable(word_) + "'")
      .hint(near.empty() ? "" : "did you mean '" + printable(near) + "'?");
}

Result<std::vector<std::string>> select(std::span<const std::string> words, std::span<const JobRef> jobs) {
  std::vector<bool> chosen(jobs.size());
  std::optional<Selector> empty;  // the first
  for (const std::string& word : words) {
    auto selector = Selector::parse(word);
    if (!selector) return pass(selector);
    bool matched = false;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!selector->matches(jobs[i])) continue;
      chosen[i] = true;
      matched = true;
    }
    if (matched) continue;
    if (!selector->may_be_empty()) return fail(selector->no_match(jobs));
    if (!empty) empty = std::move(*selector);
  }
  // Of a union all but one may be empty.
  if (empty && std::find(chosen.begin(), chosen.end(), true) == chosen.end()) return fail(empty->no_match(jobs));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (chosen[i]) names.emplace_back(jobs[i].name);
  }
  std::sort(names.begin(), names.end(), natural_less);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string exactly(std::string_view name) {
  if (name.empty()) return {};
  return "[" + std::string(name.substr(0, 1)) + "]" + std::string(name.substr(1));
}

}  // namespace usvc
