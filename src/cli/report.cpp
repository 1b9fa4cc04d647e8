#include "cli/report.h"

#include <fmt/core.h>

#include <vector>

#include "base/text.h"
#include "cli/json_out.h"
#include "cli/terminal.h"

namespace usvc {

namespace {

// More lines than this say less than one.
constexpr std::size_t many = 10;

std::string indented(std::string_view text) {
  std::string out;
  for (const auto line : split(trim(text), '\n')) out += "    " + tame(line, false) + "\n";
  return out;
}

void complain_of(const Outcome& outcome, Verb verb) {
  std::string text = fmt::format("cannot {} {}", verb.plain, outcome.name);
  if (!outcome.message.empty()) text += ": " + outcome.message;
  if (outcome.hint && !outcome.hint->empty()) text += " (" + *outcome.hint + ")";
  if (outcome.last_output && !trim(*outcome.last_output).empty()) {
    text += "\n" + indented(*outcome.last_output);
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
  for (const auto& outcome : reply.results) {
    if (!outcome.ok) complain_of(outcome, verb);
  }
  return all_ok ? 0 : 1;
}

}  // namespace usvc
