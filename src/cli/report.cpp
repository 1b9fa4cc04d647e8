#include "cli/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/text.h"
#include "cli/json_out.h"
#include "cli/terminal.h"

namespace usvc {

namespace {

// More lines than this say less than one.
constexpr std::size_t many = 10;
// So many names in a row are told as the first and the last.
constexpr std::size_t few = 4;

std::string indented(std::string_view text) {
  std::string out;
  for (const auto line : split(trim(text), '\n')) out += "    " + tame(line, false) + "\n";
  return out;
}

// Without " after 0.02 s": of copies that fail alike each has lived a little longer or shorter.
std::string_view without_duration(std::string_view message) {
  constexpr std::string_view after = " after ";
  const std::size_t at = message.rfind(after);
  const bool timed =
      at != std::string_view::npos && at + after.size() < message.size() && is_digit(message[at + after.size()]);
  return timed ? message.substr(0, at) : message;
}

// What to do, said of any JOB.
std::string general_hint(const Outcome& outcome) {
  std::string hint = outcome.hint.value_or("");
  const std::size_t at = (" " + hint + " ").find(" " + outcome.name + " ");
  return at == std::string::npos ? hint : hint.replace(at, outcome.name.size(), "JOB");
}

// Jobs that failed alike: their places in the reply.
using Alike = std::vector<std::size_t>;

std::vector<Alike> failures_of(const std::vector<Outcome>& results) {
  std::vector<Alike> groups;
  std::map<std::tuple<std::string_view, std::optional<std::string>, std::string>, std::size_t> known;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Outcome& outcome = results[i];
    if (outcome.ok) continue;
    const auto [group, is_new] = known.try_emplace(
        {without_duration(outcome.message), outcome.last_output, general_hint(outcome)}, groups.size());
    if (is_new) groups.emplace_back();
    groups[group->second].push_back(i);
  }
  return groups;
}

std::string names_of(const std::vector<Outcome>& results, const Alike& group) {
  std::string names;
  for (std::size_t i = 0; i < group.size();) {
    std::size_t next = i + 1;
    while (next < group.size() && group[next] == group[next - 1] + 1) ++next;
    const bool many_in_a_row = next - i > few;
    const std::size_t told = many_in_a_row ? i + 1 : next;
    for (; i < told; ++i) names += (names.empty() ? "" : ", ") + results[group[i]].name;
    if (many_in_a_row) names += " … " + results[group[next - 1]].name;
    i = next;
  }
  return group.size() > few ? fmt::format("{} ({} jobs)", names, group.size()) : names;
}

std::string_view message_of(const std::vector<Outcome>& results, const Alike& group) {
  const std::string_view first = results[group.front()].message;
  const bool same = std::ranges::all_of(group, [&](std::size_t i) { return results[i].message == first; });
  return same ? first : without_duration(first);
}

void complain_of(const std::vector<Outcome>& results, const Alike& group, Verb verb) {
  const Outcome& first = results[group.front()];
  std::string text = fmt::format("cannot {} {}", verb.plain, names_of(results, group));
  if (const auto message = message_of(results, group); !message.empty()) text += fmt::format(": {}", message);
  const std::string hint = group.size() == 1 ? first.hint.value_or("") : general_hint(first);
  if (!hint.empty()) text += " (" + hint + ")";
  const auto& output = first.last_output;
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
  for (const auto& group : failures_of(reply.results)) complain_of(reply.results, group, verb);
  return all_ok ? 0 : 1;
}

}  // namespace usvc
