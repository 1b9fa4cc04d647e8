#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "base/text.h"
#include "base/time.h"
#include "base/watch.h"
#include "cli/command.h"
#include "cli/event_filter.h"
#include "cli/terminal.h"
#include "cli/words.h"
#include "journal/reader.h"

namespace usvc::command {

namespace {

constexpr std::size_t narrowest_name = 10;
constexpr std::size_t enough = std::size_t{64} << 10U;

bool is_bad(const Event& event) {
  if (event.event == "error" || event.event == "alert") return true;
  return event.event == "exited" && !event.asked.value_or(false) && event.code.value_or(1) != 0;
}

class Printer {
 public:
  Printer(const Context& context, EventFilter filter, double since)
      : context_(&context), filter_(std::move(filter)), since_(since) {}

  Status add(const Event& event, std::string_view line) {
    if (is_record(event) || event.t < since_ || !filter_.shows(event)) return {};
    if (context_->json) {
      // Older versions wrote bytes as they came.
      out_ += is_utf8(line) ? std::string(line) : event_line(event);
    } else {
      if (event.job) name_width_ = std::max(name_width_, display_width(*event.job));
      const std::string text = event_line_for_people(event, name_width_);
      const auto color = is_bad(event) ? Color::red : Color::plain;
      out_ += context_->out.paint(color, context_->out.cut(text));
    }
    out_ += '\n';
    return out_.size() < enough ? Status() : flush();
  }

  Status flush() {
    if (out_.empty()) return {};
    auto status = print(out_);
    out_.clear();
    return status;
  }

  [[nodiscard]] Status found_all() const { return filter_.found_all(); }

 private:
  const Context* context_;
  EventFilter filter_;
  double since_;
  std::size_t name_width_ = narrowest_name;
  std::string out_;
};

Status follow(JournalReader& reader, Printer& printer, const JournalReader::Sink& sink) {
  auto watch = Watch::create();
  if (!watch) return pass(watch);
  bool first = true;
  for (;;) {
    if (auto status = reader.follow(*watch, sink); !status) return status;
    if (auto status = printer.flush(); !status) return status;
    if (auto status = printer.found_all(); first && !status) return status;
    first = false;
    auto waited = watch->wait(Watch::look_anyway, {}, FdRef(STDOUT_FILENO));
    if (!waited) return pass(waited);
    if (auto status = end_without_reader(); !status) return status;
  }
}

}  // namespace

std::vector<Flag> events_flags() {
  return {
      {"--follow", 'f', "", "go on showing what happens, until Ctrl-C"},
      {"--since", 0, "T", "only from then on: 10m (ago), 10:00, yesterday, '2026-11-22 10:00', 2026-11-22T10:00:00Z"}};
}

Result<int> events(const Invocation& invocation) {
  const Context& context = invocation.context;
  double since = 0;
  if (const auto text = invocation.arguments.value("--since")) {
    auto moment = parse_time(*text, unix_now());
    if (!moment) return fail(std::move(moment).error().context("--since").as(ErrorKind::usage));
    since = *moment;
  }
  auto filter = EventFilter::create(context, invocation.arguments.words);
  if (!filter) return pass(filter);
  Printer printer(context, std::move(*filter), since);
  JournalReader reader(context.layout.journal_dir, complain);
  if (auto status = reader.skip_before(since); !status) return pass(status);
  const auto sink = [&printer](const Event& event, std::string_view line) { return printer.add(event, line); };
  if (invocation.arguments.has("--follow")) {
    if (auto status = follow(reader, printer, sink); !status) return pass(status);
    return 0;
  }
  if (auto status = reader.read(sink); !status) return pass(status);
  if (auto status = printer.flush(); !status) return pass(status);
  if (auto status = printer.found_all(); !status) return pass(status);
  return 0;
}

}  // namespace usvc::command
