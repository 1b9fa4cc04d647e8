#include <string>
#include <utility>

#include "base/time.h"
#include "cli/command.h"
#include "cli/command/attach_session.h"
#include "cli/instance.h"
#include "cli/remote.h"
#include "terminal/viewer.h"

namespace usvc::command {

namespace {

Result<JobView> one_job(const Context& context, const std::string& name) {
  auto reply = Remote(context, NoInstance::refuse, "attach to").jobs({name});
  if (!reply) return pass(reply);
  for (auto& job : reply->jobs) {
    if (job.name == name || (reply->jobs.size() == 1 && job.group == name)) return std::move(job);
  }
  return fail(
      Error("'" + name + "' is not one job", ErrorKind::no_match).hint("name one, like " + reply->jobs.front().name));
}

}  // namespace

std::vector<Flag> attach_flags() {
  return {{"--read-only", 0, "", "look only: keys are not passed on"}};
}

Result<int> attach(const Invocation& invocation) {
  const Context& context = invocation.context;
  const auto& words = invocation.arguments.words;
  const bool read_only = invocation.arguments.has("--read-only");
  if (words.empty()) return attach_session(context, read_only ? Typing::read_only : Typing::allowed);
  if (words.size() != 1) return fail(Error("attach takes one JOB", ErrorKind::usage).hint("usvc help attach"));
  auto job = one_job(context, words.front());
  if (!job) return pass(job);
  // Its keys would be those of the session.
  if (context.console_rows && !read_only) {
    auto shown = show_job_window(context, job->name);
    if (!shown) return pass(shown);
    if (*shown) return 0;
  }
  ViewerSpec spec;
  spec.since = unix_now();
  spec.layout = context.layout;
  spec.job = std::move(*job);
  spec.read_only = read_only;
  spec.instance_runs = [&context] { return instance_runs(context.layout); };
  spec.warn = [](const std::string& message) { complain(message + "\r"); };  // the terminal is raw
  const std::string name = spec.job.name;
  auto end = TerminalViewer::view(std::move(spec));
  if (!end) return pass(end);
  if (end->unsent > 0) {
    complain("what was typed last did not reach " + name + ": its manager was away");
    return 1;
  }
  return end->why == ViewEnd::Why::signalled ? 128 + end->signal : 0;
}

}  // namespace usvc::command
