#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "cli/start_options.h"
#include "shapes/routes.h"

namespace usvc::command {

namespace {

constexpr Verb verb{"start", "started"};

// Words that can only be selectors.
bool only_a_selector(const std::string& word) {
  return word == "all" || word == "live" || word == "dead" || word.starts_with("state:") ||
         word.find_first_of("*?[") != std::string::npos;
}

bool has_start_options(const Arguments& arguments) {
  const auto flags = start_flags();
  return std::any_of(flags.begin(), flags.end(), [&](const Flag& flag) { return arguments.has(flag.name); });
}

// `start SELECTOR`; nothing when the word names no job and so must be a command.
Result<std::optional<int>> start_existing(const Invocation& invocation, const std::string& word, std::string& hint) {
  if (word.find('/') != std::string::npos || word.empty()) return std::nullopt;
  auto known = Remote(invocation.context, NoInstance::offline).jobs({word});
  if (!known) {
    const ErrorKind kind = known.error().kind();
    if (only_a_selector(word) || kind == ErrorKind::unreachable) return pass(known);
    hint = known.error().hint();
    return std::nullopt;
  }
  if (known->jobs.empty()) return std::nullopt;
  SelectRequest request;
  request.selectors = {word};
  auto reply = Remote(invocation.context, NoInstance::start).select(route::start, std::move(request));
  if (!reply) return pass(reply);
  auto status = report(invocation.context, *reply, verb);
  if (!status) return pass(status);
  return *status;
}

}  // namespace

std::vector<Flag> start_flags() {
  std::vector<Flag> flags = {{"--copies", 'n', "N", "so many of it, GROUP-1, GROUP-2, …"}};
  for (const auto& more : {job_flags(), environment_flags()}) flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

Result<int> start(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  if (arguments.words.empty()) {
    return fail(Error("start needs a command, or the name of a job", ErrorKind::usage).hint("usvc help start"));
  }
  std::string hint;
  const bool bare = arguments.words.size() == 1 && !arguments.dashes && !has_start_options(arguments);
  if (bare) {
    auto status = start_existing(invocation, arguments.words.front(), hint);
    if (!status) return pass(status);
    if (*status) return **status;
  }
  auto request = start_request(arguments);
  if (!request) {
    Error error = std::move(request).error();
    // The word was neither: the name it nearly is helps more than nothing.
    const bool add = !hint.empty() && error.hint().empty();
    return fail(add ? std::move(error).hint(hint) : std::move(error));
  }
  auto reply = Remote(invocation.context, NoInstance::start).make_jobs(std::move(*request));
  if (!reply) return pass(reply);
  return report(invocation.context, *reply, verb);
}

}  // namespace usvc::command
