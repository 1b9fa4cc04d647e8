#include <unistd.h>

#include <chrono>

#include "base/time.h"
#include "cli/command.h"
#include "cli/remote.h"
#include "cli/top/session.h"

namespace usvc::command {

namespace {

using namespace std::chrono_literals;
constexpr Duration shortest = 100ms;
constexpr Duration longest = 1h;

Result<Duration> interval_of(const Arguments& arguments) {
  const auto text = arguments.value("--delay");
  if (!text) return Duration(1s);
  auto interval = parse_duration(*text);
  if (!interval) return fail(std::move(interval).error().context("--delay").as(ErrorKind::usage));
  if (*interval < shortest || *interval > longest) {
    return fail("--delay " + *text + ": must be between 0.1 and 3600 seconds", ErrorKind::usage);
  }
  return *interval;
}

}  // namespace

std::vector<Flag> top_flags() {
  return {{"--delay", 'd', "SECONDS", "look so often (1)"}};
}

Result<int> top(const Invocation& invocation) {
  const Context& context = invocation.context;
  if (context.json) {
    return fail(Error("top is for people: there is no --json of it", ErrorKind::usage).hint("usvc --json status"));
  }
  const auto interval = interval_of(invocation.arguments);
  if (!interval) return fail(interval.error());
  if (!context.out.is_tty() || ::isatty(STDIN_FILENO) != 1) {
    return fail(Error("top needs a terminal to draw on and take keys from").hint("usvc status shows the same once"));
  }
  auto jobs = Remote(context, NoInstance::offline).jobs(invocation.arguments.words);
  if (!jobs) return pass(jobs);
  TopSession session(context, {invocation.arguments.words, *interval});
  return session.run(std::move(*jobs));
}

}  // namespace usvc::command
