#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/instance.h"
#include "cli/json_out.h"
#include "cli/observe.h"
#include "cli/remote.h"
#include "cli/why_words.h"
#include "journal/reader.h"
#include "log/tail.h"

namespace usvc::command {

namespace {

constexpr std::size_t shown_lines = 5;
constexpr std::size_t shown_bytes = 4096;

std::vector<std::string> last_output(const Context& context, const JobView& job) {
  std::vector<std::string> lines;
  if (!job.log_offset || *job.log_offset < 0) return lines;
  const Span run{static_cast<std::uint64_t>(*job.log_offset)};
  std::string text = last_lines(context.layout, job.log, run, 4 * shown_lines);
  if (text.size() > shown_bytes) text.erase(0, text.size() - shown_bytes);
  for (const auto line : split(trim(text), '\n')) {
    if (!trim(line).empty()) lines.emplace_back(line);
  }
  if (lines.size() > shown_lines) lines.erase(lines.begin(), lines.end() - shown_lines);
  return lines;
}

Status read_journal(const Context& context, const JobView& job, Background& background) {
  JournalReader reader(context.layout.journal_dir, complain);
  // What explains the state came with or after the last run.
  if (job.started_at) {
    if (auto status = reader.skip_before(*job.started_at - 1); !status) return status;
  }
  return reader.read([&](const Event& event, std::string_view) -> Status {
    if (event.job != job.name || is_record(event)) return {};
    if (event.event == "error") {
      background.last_error = event;
    } else if (event.event == "stopped") {
      background.stopped = event;
    } else if (event.event == "starting" || event.event == "running") {
      background.stopped.reset();
      background.last_error.reset();
    }
    return {};
  });
}

struct WhyView {
  JobView job;
  std::string text;
  std::vector<std::string> last_output;
};
BOOST_DESCRIBE_STRUCT(WhyView, (), (job, text, last_output))

}  // namespace

Result<int> why(const Invocation& invocation) {
  const Context& context = invocation.context;
  if (auto status = need_selectors(invocation, "why"); !status) return pass(status);
  auto jobs = look_at(context, invocation.arguments.words);
  if (!jobs) return pass(jobs);
  observe_jobs(*jobs);
  const bool running = instance_runs(context.layout);
  std::vector<WhyView> views;
  for (auto& job : *jobs) {
    Background background;
    background.now = unix_now();
    background.instance_runs = running;
    background.last_output = last_output(context, job);
    if (auto status = read_journal(context, job, background); !status) return pass(status);
    std::string text = why_text(job, background);
    views.push_back({std::move(job), std::move(text), std::move(background.last_output)});
  }
  if (context.json) {
    auto status = views.size() == 1 ? print_json(views.front()) : print_json(views);
    if (!status) return pass(status);
    return 0;
  }
  std::string text;
  for (const auto& view : views) text += (text.empty() ? "" : "\n") + view.text;
  if (auto status = print(text); !status) return pass(status);
  return 0;
}

}  // namespace usvc::command
