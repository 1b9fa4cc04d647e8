#include <fmt/core.h>

#include <chrono>
#include <string>

#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/remote.h"
#include "cli/words.h"

namespace usvc::command {

namespace {

Result<WaitRequest> request_of(const Arguments& arguments) {
  WaitRequest request;
  request.selectors = arguments.words;
  request.condition = arguments.value("--for").value_or("stopped");
  bool known = false;
  for (const auto* condition : {"running", "ready", "stopped", "exit"}) known = known || request.condition == condition;
  if (!known) {
    return fail(Error("--for " + printable(request.condition) + ": there is no such condition", ErrorKind::usage)
                    .hint("running, ready, stopped or exit"));
  }
  if (const auto text = arguments.value("--timeout")) {
    const auto timeout = parse_duration(*text);
    if (!timeout) return fail(Error("--timeout: " + timeout.error().message(), ErrorKind::usage));
    request.timeout_seconds = std::chrono::duration<double>(*timeout).count();
  }
  return request;
}

// The first exit that was no success.
int exit_status_of(const WaitReply& reply) {
  for (const auto& result : reply.results) {
    const int status = result.exit ? shell_status(*result.exit) : 0;
    if (status != 0) return status;
  }
  return 0;
}

}  // namespace

std::vector<Flag> wait_flags() {
  return {{"--for", 0, "running|ready|stopped|exit", "stopped when it is left out"},
          {"--timeout", 0, "T", "give up after this long: 90s, 10m"}};
}

Result<int> wait(const Invocation& invocation) {
  if (auto status = need_selectors(invocation, "wait"); !status) return pass(status);
  auto request = request_of(invocation.arguments);
  if (!request) return pass(request);
  auto reply = Remote(invocation.context, NoInstance::refuse, "wait for").wait(*request);
  if (!reply) return pass(reply);
  if (invocation.context.json) {
    if (auto status = print_json(*reply); !status) return pass(status);
  }
  bool all = true;
  for (const auto& result : reply->results) {
    if (result.reached) continue;
    all = false;
    complain(reply->timed_out ? fmt::format("{} is still {}: the time is up", result.name, result.state)
                              : fmt::format("{} is {} and will not get there", result.name, result.state));
  }
  if (!all) return 1;
  return request->condition == "exit" ? exit_status_of(*reply) : 0;
}

}  // namespace usvc::command
