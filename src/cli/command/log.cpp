#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "base/watch.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/json_out.h"
#include "cli/log_printer.h"
#include "cli/remote.h"
#include "log/reader.h"

namespace usvc::command {

namespace {

constexpr std::size_t usual_lines = 100;

// How many lines from the end; none: all.
Result<std::optional<std::size_t>> lines_wanted(const Arguments& arguments) {
  const auto text = arguments.value("--lines");
  if (!text) return usual_lines;
  if (*text == "all") return std::nullopt;
  const auto number = parse_number(*text);
  if (number && *number >= 0) return static_cast<std::size_t>(*number);
  return fail("-n " + printable(*text) + ": must be a number of lines, or all", ErrorKind::usage);
}

Status print_paths(const Context& context, const std::vector<JobView>& jobs) {
  std::vector<std::string> paths;
  std::string text;
  for (const auto& job : jobs) {
    paths.push_back(job.log);
    text += job.log + "\n";
  }
  return context.json ? print_json(paths) : print(text);
}

Status print_new(std::vector<LogCursor>& cursors, LogPrinter& printer, std::size_t index) {
  std::string bytes;
  for (;;) {
    bytes.clear();
    auto more = cursors[index].read(bytes);
    if (!more) return pass(more);
    if (!*more) return {};
    printer.add(index, bytes);
    if (auto status = printer.flush(); !status) return status;
  }
}

Status print_all(std::vector<LogCursor>& cursors, LogPrinter& printer) {
  for (std::size_t i = 0; i < cursors.size(); ++i) {
    if (auto status = print_new(cursors, printer, i); !status) return status;
    printer.finish(i);
  }
  return printer.flush();
}

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

Status follow(std::vector<LogCursor>& cursors, LogPrinter& printer) {
  auto interrupt = Interrupt::create();
  if (!interrupt) return pass(interrupt);
  auto watch = Watch::create();
  if (!watch) return pass(watch);
  for (const auto& cursor : cursors) {
    if (auto status = watch->add_dir(directory_of(cursor.path())); !status) return status;
  }
  for (;;) {
    for (const auto& cursor : cursors) {
      if (auto status = watch->add_file(cursor.path()); !status) return status;
    }
    for (std::size_t i = 0; i < cursors.size(); ++i) {
      if (auto status = print_new(cursors, printer, i); !status) return status;
    }
    if (interrupt->take()) return {};
    auto waited = watch->wait(Watch::look_anyway, interrupt->fd());
    if (!waited) return pass(waited);
  }
}

}  // namespace

std::vector<Flag> log_flags() {
  return {{"--follow", 'f', "", "go on showing what is written, until Ctrl-C"},
          {"--lines", 'n', "N", "the last N lines (100), or all"},
          {"--raw", 0, "", "the bytes as they are, on a terminal too and without names"},
          {"--path", 0, "", "only where the logs are"}};
}

Result<int> log(const Invocation& invocation) {
  if (auto status = need_selectors(invocation, "log"); !status) return pass(status);
  const Context& context = invocation.context;
  auto lines = lines_wanted(invocation.arguments);
  if (!lines) return pass(lines);
  auto jobs = look_at(context, invocation.arguments.words);
  if (!jobs) return pass(jobs);
  if (invocation.arguments.has("--path")) {
    if (auto status = print_paths(context, *jobs); !status) return pass(status);
    return 0;
  }
  std::vector<std::string> names;
  std::vector<LogCursor> cursors;
  for (const auto& job : *jobs) {
    auto cursor = LogCursor::at_tail(job.log, *lines);
    if (!cursor) return pass(cursor, "cannot show the log of " + job.name);
    names.push_back(job.name);
    cursors.push_back(std::move(*cursor));
  }
  LogPrinter printer(context, names, invocation.arguments.has("--raw"));
  const bool follows = invocation.arguments.has("--follow") || invocation.called_as == "tail";
  if (auto status = follows ? follow(cursors, printer) : print_all(cursors, printer); !status) return pass(status);
  return 0;
}

}  // namespace usvc::command
