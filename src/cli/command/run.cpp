#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/watch.h"
#include "base/window_size.h"
#include "cli/background_task.h"
#include "cli/command.h"
#include "cli/dispatch.h"
#include "cli/instance.h"
#include "cli/interrupt.h"
#include "cli/json_out.h"
#include "cli/outlet.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "cli/run_input.h"
#include "cli/start_options.h"
#include "cli/words.h"
#include "job/selector.h"
#include "log/files.h"
#include "log/history.h"
#include "shapes/routes.h"
#include "terminal/viewer.h"

namespace usvc::command {

namespace {

using ExitWaiter = BackgroundTask<WaitReply>;

// Asks in a thread of its own how the run ends: the question is answered only then.
Result<std::unique_ptr<ExitWaiter>> await_exit(const Context& context, const Outcome& outcome) {
  WaitRequest request;
  request.selectors = {outcome.name};
  request.condition = "exit";
  request.run_id = outcome.run_id;
  return ExitWaiter::begin([context, request](FdRef given_up) {
    return Remote(context, NoInstance::refuse, "wait for").wait(request, given_up);
  });
}

// As a terminal does it: to all of the job that is in the foreground.
void pass_on(const Context& context, const std::string& job, int signal) {
  SelectRequest request;
  request.selectors = {job};
  request.signal = signal_name(signal);
  request.whole_group = true;
  auto reply = Remote(context, NoInstance::refuse, "signal").select(route::signal, std::move(request));
  if (!reply) complain("cannot pass on " + signal_name(signal) + ": " + reply.error().message());
}

// One of the job's outputs: a log of the run, from where it begins, and where it is shown.
class RunOutput {
 public:
  static Result<RunOutput> open(const Context& context, const std::string& log, std::optional<std::int64_t> offset,
                                Outlet outlet) {
    auto history = LogHistory::open(context.layout, log, complain);
    if (!history) return pass(history);
    const auto from = static_cast<std::uint64_t>(std::max<std::int64_t>(offset.value_or(0), 0));
    return RunOutput(std::move(*history), from, std::move(outlet));
  }
  [[nodiscard]] const std::string& path() const { return history_.log(); }
  // Goes on in that file, where the log was moved as a whole.
  Status go_on_in(const Context& context, const std::string& log) {
    auto history = LogHistory::open(context.layout, log, complain);
    if (!history) return pass(history);
    history_ = std::move(*history);
    return {};
  }
  // How much of it could not be shown.
  [[nodiscard]] std::uint64_t missed() const { return missed_; }
  // Why nobody can be shown any more of it.
  [[nodiscard]] const std::optional<Error>& unwritable() const { return unwritable_; }

  // All that has come, in whichever file it is by now; or until it is unwritable.
  Status print_new() {
    while (!unwritable_) {
      auto position = history_.catch_up(position_);
      if (!position) return pass(position);
      const bool moved = std::exchange(position_, *position) != *position;
      auto printed = print_here();
      if (!printed) return pass(printed);
      if (!moved && !*printed) return {};
    }
    return {};
  }

 private:
  RunOutput(LogHistory history, std::uint64_t position, Outlet outlet)
      : history_(std::move(history)), position_(position), outlet_(std::move(outlet)) {}

  Result<bool> print_here() {
    std::string bytes;
    for (bool any = false;; any = true) {
      bytes.clear();
      auto more = history_.read(position_, Span::no_end, bytes);
      missed_ += history_.take_missed();
      if (!more) return more;
      if (!*more) return any;
      if (auto status = outlet_.write(bytes); !status) {
        unwritable_ = std::move(status).error();
        return true;
      }
    }
  }

  LogHistory history_;
  std::uint64_t position_;
  std::uint64_t missed_ = 0;
  Outlet outlet_;
  std::optional<Error> unwritable_;
};

// Nobody reads what the job writes: it gets the signal that it would have got for writing, and if it goes on, an end.
void end_unread(const Context& context, const std::string& job, ExitWaiter& waiter) {
  constexpr int grace_ms = 1000;
  pass_on(context, job, SIGPIPE);
  pollfd done{.fd = waiter.done().get(), .events = POLLIN, .revents = 0};
  if (::poll(&done, 1, grace_ms) == 1) return;
  SelectRequest request;
  request.selectors = {job};
  auto reply = Remote(context, NoInstance::refuse, "stop").select(route::stop, std::move(request));
  if (!reply) complain("cannot stop " + job + ": " + reply.error().message());
}

Result<std::vector<RunOutput>> outputs_of(const Context& context, const Outcome& outcome,
                                          const std::function<void()>& heed, FdRef interrupt) {
  std::vector<RunOutput> outputs;
  const std::string log = outcome.log.value_or(context.layout.log_path(outcome.name));
  // With --json how it ended is the only thing on stdout.
  const FdRef out(context.json ? STDERR_FILENO : STDOUT_FILENO);
  auto output = RunOutput::open(context, log, outcome.log_offset, Outlet(out, interrupt, heed));
  if (!output) return pass(output);
  outputs.push_back(std::move(*output));
  if (!outcome.error_log_offset) return outputs;
  auto errors = RunOutput::open(context, outcome.error_log.value_or(error_log_of(log)), outcome.error_log_offset,
                                Outlet(FdRef(STDERR_FILENO), interrupt, heed));
  if (!errors) return pass(errors);
  outputs.push_back(std::move(*errors));
  return outputs;
}

// A job that was cleaned meanwhile: the rest of what it wrote is where its logs have gone.
Status follow_moved(const Context& context, const Result<WaitReply>& reply, std::vector<RunOutput>& outputs) {
  if (!reply || reply->results.empty()) return {};
  const WaitResult& result = reply->results.front();
  const std::array moved = {&result.log, &result.error_log};
  for (std::size_t i = 0; i < outputs.size() && i < moved.size(); ++i) {
    if (!*moved[i] || **moved[i] == outputs[i].path()) continue;
    if (auto status = outputs[i].go_on_in(context, **moved[i]); !status) return status;
  }
  return {};
}

struct RunView {
  std::string name;
  std::string run_id;
  std::optional<ExitView> exit;  // none: not known
  std::string log;
  bool output_missing = false;  // some of it could not be shown
};
BOOST_DESCRIBE_STRUCT(RunView, (), (name, run_id, exit, log, output_missing))

Result<int> status_of_run(const Context& context, const Outcome& outcome, const Result<WaitReply>& reply,
                          bool output_missing = false) {
  std::optional<ExitView> exit;
  if (reply && !reply->results.empty()) exit = reply->results.front().exit;
  if (exit && !exit->code && !exit->signal) complain(outcome.name + ": " + exit_words(*exit));
  if (context.json) {
    const std::string log = outcome.log.value_or(context.layout.log_path(outcome.name));
    const RunView view{outcome.name, outcome.run_id.value_or(""), exit, log, output_missing};
    if (auto status = print_json(view); !status) return pass(status);
  }
  if (exit) return shell_status(*exit);
  Error unknown = reply ? Error(outcome.name + " is gone, and how it ended is not known") : reply.error();
  if (!context.json) return fail(std::move(unknown));
  complain(unknown.message());  // the document is out
  return exit_status_of(unknown.kind());
}

struct Missed {
  std::string log;
  std::uint64_t bytes = 0;
};

// How it ended; whatever that is, whoever reads on is not to take what came for all of it.
Result<int> end_of(const Context& context, const Outcome& outcome, const Result<WaitReply>& reply,
                   const std::vector<Missed>& missed) {
  constexpr int incomplete = 5;
  const bool waits = reply && !reply->results.empty() && reply->results.front().output_waits.value_or(false);
  auto status = status_of_run(context, outcome, reply, waits || !missed.empty());
  if (!waits && missed.empty()) return status;
  if (!status) complain(status.error().message());
  for (const auto& part : missed) complain(missed_output(part.log, part.bytes).message());
  if (waits) {
    complain("some of the output is missing here: its log cannot be written (usvc log " + outcome.name +
             " shows it once there is room)");
  }
  return incomplete;
}

struct RunEnd {
  Result<int> status = 0;
  bool over = false;          // not merely left
  bool by_interrupt = false;  // the user's Ctrl-C, and the job died of it
};

RunEnd ended(Result<int> status, const Result<WaitReply>& reply, bool by_key) {
  const bool known = reply && !reply->results.empty() && reply->results.front().exit;
  const bool interrupted = known && reply->results.front().exit->signal == signal_name(SIGINT);
  return {std::move(status), known, by_key && interrupted};
}

// What the user's Ctrl-C has ended ends so here too: after a mere status a shell would go on with its loop.
Result<int> end_as_job(RunEnd end) {
  if (!end.by_interrupt) return std::move(end.status);
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  (void)std::signal(SIGINT, SIG_DFL);
  (void)::raise(SIGINT);
  (void)::sigprocmask(SIG_UNBLOCK, &interrupt, nullptr);
  return std::move(end.status);
}

// --rm: its log moves to logs/old, as after a clean by hand.
void forget(const Context& context, const std::string& job) {
  SelectRequest request;
  request.selectors = {exactly(job)};
  const auto reply = Remote(context, NoInstance::refuse, "clean").select(route::clean, std::move(request));
  if (!reply) return complain("cannot clean " + job + ": " + reply.error().message());
  for (const auto& outcome : reply->results) {
    if (!outcome.ok || outcome.skipped) complain("cannot clean " + job + ": " + outcome.message);
  }
}

// Shows what the run writes until it has ended and all of it was shown.
Result<RunEnd> follow(const Context& context, const Outcome& outcome, Interrupt& interrupt, RunInput* input) {
  auto watch = Watch::create();
  if (!watch) return pass(watch);
  bool by_key = false;
  const auto heed = [&] {
    while (const auto taken = interrupt.take()) {
      by_key = by_key || (taken->by_key && taken->signal == SIGINT);
      pass_on(context, outcome.name, taken->signal);
    }
  };
  auto outputs = outputs_of(context, outcome, heed, interrupt.fd());
  if (!outputs) return pass(outputs);
  if (auto status = watch->add_dir(directory_of(outputs->front().path())); !status) return pass(status);
  auto waiter = await_exit(context, outcome);
  if (!waiter) return pass(waiter);
  for (;;) {
    // Asked before the last look: what was written by the end is seen.
    std::optional<Result<WaitReply>> reply;
    if ((*waiter)->is_done()) reply = (*waiter)->take();
    if (reply) {
      if (auto status = follow_moved(context, *reply, *outputs); !status) return pass(status);
    }
    for (auto& output : *outputs) {
      if (auto status = watch->add_file(output.path()); !status) return pass(status);
      if (auto status = output.print_new(); !status) return pass(status);
      if (!output.unwritable()) continue;
      if (!reply) {
        end_unread(context, outcome.name, **waiter);
        reply = (*waiter)->take();
      }
      if (output.unwritable()->code() == EPIPE) {
        return ended(status_of_run(context, outcome, *reply, true), *reply, false);
      }
      return fail(*output.unwritable());
    }
    if (reply) {
      std::vector<Missed> missed;
      for (const auto& output : *outputs) {
        if (output.missed() > 0) missed.push_back({output.path(), output.missed()});
      }
      return ended(end_of(context, outcome, *reply, missed), *reply, by_key);
    }
    if (input != nullptr) {
      if (auto status = input->outcome(); !status) {
        return fail(std::move(status).error().hint("the job runs on: usvc stop " + outcome.name));
      }
    }
    heed();
    const FdRef input_over = input != nullptr ? input->over() : FdRef(-1);
    auto waited = watch->wait(Watch::look_anyway, {interrupt.fd(), (*waiter)->done(), input_over});
    if (!waited) return pass(waited);
  }
}

Result<RunEnd> sit_at(const Context& context, const Outcome& outcome) {
  auto waiter = await_exit(context, outcome);
  if (!waiter) return pass(waiter);
  ViewerSpec spec;
  spec.layout = context.layout;
  spec.job.name = outcome.name;
  spec.job.log = outcome.log.value_or(context.layout.log_path(outcome.name));
  const std::string log = spec.job.log;
  spec.job.log_offset = outcome.log_offset;
  spec.job.run_id = outcome.run_id;
  spec.keys = Keys::run;
  spec.run_over = (*waiter)->done();
  spec.instance_runs = [&context] { return instance_runs(context.layout); };
  spec.on_signal = [&](int signal) { pass_on(context, outcome.name, signal); };
  spec.warn = [](const std::string& message) { complain(message + "\r"); };  // the terminal is raw
  auto end = TerminalViewer::view(std::move(spec));
  if (!end) return pass(end);
  if (end->why == ViewEnd::Why::signalled) return RunEnd{.status = 128 + end->signal};
  std::vector<Missed> missed;
  if (end->missed > 0) missed.push_back({log, end->missed});
  const auto reply = (*waiter)->take();
  return ended(end_of(context, outcome, reply, missed), reply, end->interrupted);
}

enum class Stdio { terminal, pipes };

// A terminal would alter the bytes of a pipeline, and mix stderr into it, or take it from where it was sent. The last
// of --tty and --no-tty counts.
Result<Stdio> choose_stdio(const Arguments& arguments) {
  std::optional<bool> asked;
  for (const auto& [id, value] : arguments.options) {
    if (id == "--tty" || id == "--no-tty") asked = id == "--tty";
  }
  const bool on_terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  if (asked == true && !on_terminal) {
    return fail(Error("--tty: standard input and standard output must be a terminal", ErrorKind::usage)
                    .hint("usvc start gives a job a terminal anywhere"));
  }
  return asked.value_or(on_terminal && ::isatty(STDERR_FILENO) == 1) ? Stdio::terminal : Stdio::pipes;
}

// `2>&1`: what comes to the same place keeps its order only in one pipe.
bool errors_go_with_output() {
  struct stat output {};
  struct stat errors {};
  return ::fstat(STDOUT_FILENO, &output) == 0 && ::fstat(STDERR_FILENO, &errors) == 0 &&
         output.st_dev == errors.st_dev && output.st_ino == errors.st_ino;
}

// The end of the only run is what `run` waits for.
Status check_once(const Arguments& arguments) {
  const auto policy = arguments.value("--restart");
  if (!policy || *policy == "never") return {};
  return fail(Error("--restart " + printable(*policy) + ": run runs a command once", ErrorKind::usage)
                  .hint("usvc start --restart " + printable(*policy) + " -- CMD starts it anew when it ends"));
}

Result<StartRequest> run_request(const Arguments& arguments, Stdio stdio, bool together) {
  if (auto status = check_once(arguments); !status) return pass(status);
  auto request = start_request(arguments);
  if (!request) return request;
  request->entries.push_back({"keepalive", "false"});
  // Whether it ends at once or later makes no difference here.
  if (!arguments.has("--settle")) request->entries.push_back({"settle", "0"});
  if (stdio == Stdio::terminal) {
    request->entries.push_back({"tty", "true"});  // whatever usvc.conf has as default
    return request;
  }
  request->entries.push_back({"tty", "false"});
  if (!arguments.has("--split") && !arguments.has("--no-split"))
    request->entries.push_back({"split", together ? "false" : "true"});
  if (request->copies == 1) request->input = true;
  return request;
}

}  // namespace

std::vector<Flag> run_flags() {
  std::vector<Flag> flags = {{"--rm", 0, "", "forget the job once it has ended"}};
  for (const auto& more : {job_flags(), environment_flags()}) flags.insert(flags.end(), more.begin(), more.end());
  for (auto& flag : flags) {
    if (flag.name == "--tty") flag.help = "leave it the terminal although stderr goes elsewhere";
  }
  return flags;
}

Result<int> run(const Invocation& invocation) {
  const Context& context = invocation.context;
  if (invocation.arguments.words.empty()) {
    return fail(Error("run needs a command", ErrorKind::usage).hint("usvc help run"));
  }
  const auto stdio = choose_stdio(invocation.arguments);
  if (!stdio) return fail(stdio.error());
  auto request = run_request(invocation.arguments, *stdio, context.json || errors_go_with_output());
  if (!request) return pass(request);
  // Before it runs: from then on Ctrl-C is the job's.
  auto interrupt = Interrupt::create();
  if (!interrupt) return pass(interrupt);
  const bool interactive = *stdio == Stdio::terminal && !context.json;
  if (const auto window = window_size(FdRef(STDOUT_FILENO)); interactive && window) {
    request->rows = window->rows;
    request->columns = window->columns;
  }
  // A reader that has gone is an error of write(2).
  (void)std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<RunInput> input;
  if (request->input.value_or(false)) {
    auto made = RunInput::create();
    if (!made) return pass(made);
    input = std::move(*made);
  }
  auto reply = Remote(context, NoInstance::start).make_jobs(std::move(*request), input ? input->lent() : FdRef(-1));
  if (!reply) return pass(reply);
  if (reply->results.empty()) return fail("the manager did not say what became of the job");
  const Outcome& outcome = reply->results.front();
  if (!outcome.run_id) return report(context, *reply, {"start", "started"});
  if (input && !interactive) {
    if (auto status = input->hand_over(); !status) return pass(status);
  }
  auto end = interactive ? sit_at(context, outcome) : follow(context, outcome, *interrupt, input.get());
  if (!end) return pass(end);
  if (end->over && invocation.arguments.has("--rm")) forget(context, outcome.name);
  return end_as_job(std::move(*end));
}

}  // namespace usvc::command
