#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/signals.h"
#include "base/time.h"
#include "base/watch.h"
#include "base/window_size.h"
#include "cli/command.h"
#include "cli/instance.h"
#include "cli/interrupt.h"
#include "cli/json_out.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "cli/start_options.h"
#include "cli/words.h"
#include "log/history.h"
#include "shapes/routes.h"
#include "terminal/viewer.h"

namespace usvc::command {

namespace {

// Asks in a thread of its own how the run ends: the question is answered only then.
class ExitWaiter {
 public:
  static Result<std::unique_ptr<ExitWaiter>> begin(const Context& context, const Outcome& outcome) {
    Fd done(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!done) return fail(Error::last("cannot wait for the job"));
    return std::make_unique<ExitWaiter>(context, outcome, std::move(done));
  }
  ExitWaiter(const Context& context, const Outcome& outcome, Fd done)
      : done_(std::move(done)), thread_([this, &context, &outcome] { wait(context, outcome); }) {}

  // Readable when the answer is there.
  [[nodiscard]] FdRef done() const { return done_; }
  [[nodiscard]] bool is_done() const {
    eventfd_t count = 0;
    return ::eventfd_read(done_.get(), &count) == 0;
  }
  Result<WaitReply> take() {
    thread_.join();
    return std::move(reply_);
  }

 private:
  void wait(const Context& context, const Outcome& outcome) {
    WaitRequest request;
    request.selectors = {outcome.name};
    request.condition = "exit";
    request.run_id = outcome.run_id;
    reply_ = Remote(context, NoInstance::refuse, "wait for").wait(request);
    (void)::eventfd_write(done_.get(), 1);  // fails only when it counts too much
  }

  Fd done_;
  Result<WaitReply> reply_;
  std::jthread thread_;
};

void pass_on(const Context& context, const std::string& job, int signal) {
  SelectRequest request;
  request.selectors = {job};
  request.signal = signal_name(signal);
  auto reply = Remote(context, NoInstance::refuse, "signal").select(route::signal, std::move(request));
  if (!reply) complain("cannot pass on " + signal_name(signal) + ": " + reply.error().message());
}

// The log of the run, from where it begins.
class RunOutput {
 public:
  static Result<RunOutput> open(const Context& context, const Outcome& outcome) {
    const std::string log = outcome.log.value_or(context.layout.log_path(outcome.name));
    auto history = LogHistory::open(context.layout, log, complain);
    if (!history) return pass(history);
    const std::int64_t from = std::max<std::int64_t>(outcome.log_offset.value_or(0), 0);
    return RunOutput(std::move(*history), static_cast<std::uint64_t>(from));
  }
  [[nodiscard]] const std::string& path() const { return history_.log(); }

  // All that has come, in whichever file it is by now.
  Status print_new() {
    for (;;) {
      auto position = history_.catch_up(position_);
      if (!position) return pass(position);
      const bool moved = std::exchange(position_, *position) != *position;
      auto printed = print_here();
      if (!printed) return pass(printed);
      if (!moved && !*printed) return {};
    }
  }

 private:
  RunOutput(LogHistory history, std::uint64_t position) : history_(std::move(history)), position_(position) {}

  Result<bool> print_here() {
    std::string bytes;
    for (bool any = false;; any = true) {
      bytes.clear();
      auto more = history_.read(position_, Span::no_end, bytes);
      if (!more) return more;
      if (!*more) return any;
      if (auto status = print(bytes); !status) return pass(status);
    }
  }

  LogHistory history_;
  std::uint64_t position_;
};

// Shows what the run writes until it has ended and all of it was shown.
Result<WaitReply> follow(const Context& context, const Outcome& outcome, Interrupt& interrupt) {
  auto watch = Watch::create();
  if (!watch) return pass(watch);
  auto output = RunOutput::open(context, outcome);
  if (!output) return pass(output);
  const std::string path = output->path();
  if (auto status = watch->add_dir(directory_of(path)); !status) return pass(status);
  auto waiter = ExitWaiter::begin(context, outcome);
  if (!waiter) return pass(waiter);
  for (;;) {
    if (auto status = watch->add_file(path); !status) return pass(status);
    // Asked before the last look: what was written by the end is seen.
    const bool ended = (*waiter)->is_done();
    if (auto status = output->print_new(); !status) return pass(status);
    if (ended) return (*waiter)->take();
    while (const auto signal = interrupt.take()) pass_on(context, outcome.name, *signal);
    auto waited = watch->wait(Watch::look_anyway, interrupt.fd(), (*waiter)->done());
    if (!waited) return pass(waited);
  }
}

Result<int> exit_status_of(const Outcome& outcome, const Result<WaitReply>& reply) {
  if (!reply) return fail(reply.error());
  if (reply->results.empty() || !reply->results.front().exit) {
    return fail(outcome.name + " is gone, and how it ended is not known");
  }
  const ExitView& exit = *reply->results.front().exit;
  if (!exit.code && !exit.signal) complain(outcome.name + ": " + exit_words(exit));
  return shell_status(exit);
}

// From a terminal to a terminal: the job gets every key.
bool is_at_a_terminal(const Invocation& invocation) {
  return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0 && !invocation.arguments.has("--no-tty") &&
         !invocation.context.json;
}

Result<int> sit_at(const Context& context, const Outcome& outcome, double since) {
  ViewerSpec spec;
  spec.layout = context.layout;
  spec.job.name = outcome.name;
  spec.job.log = outcome.log.value_or(context.layout.log_path(outcome.name));
  spec.job.log_offset = outcome.log_offset;
  spec.job.run_id = outcome.run_id;
  spec.since = since;
  spec.keys = Keys::run;
  spec.instance_runs = [&context] { return instance_runs(context.layout); };
  spec.on_signal = [&](int signal) { pass_on(context, outcome.name, signal); };
  spec.warn = [](const std::string& message) { complain(message + "\r"); };  // the terminal is raw
  auto end = TerminalViewer::view(std::move(spec));
  if (!end) return pass(end);
  if (end->why == ViewEnd::Why::signalled) return 128 + end->signal;
  WaitRequest request;
  request.selectors = {outcome.name};
  request.condition = "exit";
  request.run_id = outcome.run_id;
  return exit_status_of(outcome, Remote(context, NoInstance::refuse, "wait for").wait(request));
}

}  // namespace

std::vector<Flag> run_flags() {
  std::vector<Flag> flags;
  for (const auto& more : {job_flags(), environment_flags()}) flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

Result<int> run(const Invocation& invocation) {
  const Context& context = invocation.context;
  if (invocation.arguments.words.empty()) {
    return fail(Error("run needs a command", ErrorKind::usage).hint("usvc help run"));
  }
  auto request = start_request(invocation.arguments);
  if (!request) return pass(request);
  request->entries.push_back({"keepalive", "false"});
  // Whether it ends at once or later makes no difference here.
  if (!invocation.arguments.has("--settle")) request->entries.push_back({"settle", "0"});
  // Before it runs: from then on Ctrl-C is the job's.
  auto interrupt = Interrupt::create();
  if (!interrupt) return pass(interrupt);
  const double since = unix_now();
  const bool interactive = is_at_a_terminal(invocation);
  if (const auto window = window_size(FdRef(STDOUT_FILENO)); interactive && window) {
    request->rows = window->rows;
    request->columns = window->columns;
  }
  auto reply = Remote(context, NoInstance::start).make_jobs(std::move(*request));
  if (!reply) return pass(reply);
  if (reply->results.empty()) return fail("the manager did not say what became of the job");
  const Outcome& outcome = reply->results.front();
  if (!outcome.run_id) return report(context, *reply, {"start", "started"});
  if (interactive) return sit_at(context, outcome, since);
  return exit_status_of(outcome, follow(context, outcome, *interrupt));
}

}  // namespace usvc::command
