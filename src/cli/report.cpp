#include "cli/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "cli/json_out.h"
#include "cli/terminal.h"

namespace usvc {

namespace {

// More lines than this say less than one.
constexpr std::size_t many = 10;
// Names, of jobs that failed alike.
constexpr std::size_t few = 4;

std::string indented(std::string_view text) {
  std::string out;
  for (const auto line : split(trim(text), '\n')) out += "    " + tame(line, false) + "\n";
  return out;
}

// Without " after 0.02 s": of copies that fail alike each has lived a little longer or shorter.
std::string_view without_duration(std::string_view message) {
  return message.substr(0, message.rfind(" after "));
}

bool fail_alike(const Outcome& one, const Outcome& other) {
  return without_duration(one.message) == without_duration(other.message) && one.last_output == other.last_output;
}

// Jobs that failed alike, in the order of the reply.
using Alike = std::vector<const Outcome*>;

std::vector<Alike> failures_of(const OutcomesReply& reply) {
  std::vector<Alike> groups;
  for (const auto& outcome : reply.results) {
    if (outcome.ok) continue;
    const auto like = std::ranges::find_if(groups, [&](const Alike& group) { return fail_alike(*group[0], outcome); });
    if (like == groups.end()) {
      groups.push_back({&outcome});
    } else {
      like->push_back(&outcome);
    }
  }
  return groups;
}

std::string names_of(const Alike& group) {
  if (group.size() > few) {
    return fmt::format("{} … {} ({} jobs)", group.front()->name, group.back()->name, group.size());
  }
  std::string names;
  for (const Outcome* outcome : group) names += (names.empty() ? "" : ", ") + outcome->name;
  return names;
}

std::string_view message_of(const Alike& group) {
  const std::string_view first = group.front()->message;
  const bool same = std::ranges::all_of(group, [&](const Outcome* outcome) { return outcome->message == first; });
  return same ? first : without_duration(first);
}

// What to do about one of several is said of any JOB.
std::string hint_of(const Alike& group) {
  const std::string& name = group.front()->name;
  std::string hint = group.front()->hint.value_or("");
  if (group.size() == 1) return hint;
  const std::size_t at = (" " + hint + " ").find(" " + name + " ");
  return at == std::string::npos ? hint : hint.replace(at, name.size(), "JOB");
}

void complain_of(const Alike& group, Verb verb) {
  std::string text = fmt::format("cannot {} {}", verb.plain, names_of(group));
  if (const auto message = message_of(group); !message.empty()) text += fmt::format(": {}", message);
  if (const auto hint = hint_of(group); !hint.empty()) text += " (" + hint + ")";
  const auto& output = group.front()->last_output;
  if (output && !trim(*output).empty()) {
    text += "\n" + indented(*output);
    text.pop_back();
  }
  complain(text);
}

}  // namespace

std::string success_line(const Outcome& outcome, Verb verb) {
  if (outcome.skipped) return fmt::format("{} left alone: {}", outcome.name, outcome.message);
  std::string line = fmt::format("{} {}", outcome.name, verb.done);
  if (outcome.pid) line += fmt::format(", pid {}", *outcome.pid);
  if (!outcome.message.empty()) line += ": " + outcome.message;
  return line;
}

Result<int> report(const Context& context, const OutcomesReply& reply, Verb verb) {
  std::vector<const Outcome*> plain;
  std::string lines;
  bool all_ok = true;
  for (const auto& outcome : reply.results) {
    if (!outcome.ok) {
      all_ok = false;
      continue;
    }
    if (outcome.message.empty()) plain.push_back(&outcome);
  }
  const bool summary = plain.size() > many;
  if (summary) {
    lines = fmt::format("{} jobs {}: {} … {}\n", plain.size(), verb.done, plain.front()->name, plain.back()->name);
  }
  for (const auto& outcome : reply.results) {
    if (outcome.ok && !(summary && outcome.message.empty())) lines += success_line(outcome, verb) + "\n";
  }
  if (context.json) {
    if (auto status = print_json(reply); !status) return pass(status);
  } else if (!context.quiet && !lines.empty()) {
    if (auto status = print(lines); !status) return pass(status);
  }
  for (const auto& group : failures_of(reply)) complain_of(group, verb);
  return all_ok ? 0 : 1;
}

}  // namespace usvc
