#include "journal/fold.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <unordered_map>

#include "base/files.h"
#include "base/text.h"
#include "base/time.h"
#include "job/backoff.h"
#include "job/run_id.h"
#include "journal/reader.h"
#include "journal/writer.h"

namespace usvc {

namespace {

// Counts come from a file that may be damaged, and are counted on from: no further than any life is long.
std::int64_t bounded_count(std::int64_t count) {
  return std::clamp<std::int64_t>(count, 0, 1'000'000'000);
}

void begin_run(JobRecord& record, const Event& event) {
  record.state = "starting";
  record.run_id = event.run_id;
  record.anew = false;
  record.hook_passed = false;
  if (auto id = parse_run_id(event.run_id.value_or("")); id) {
    record.runs =
        std::max(record.runs, bounded_count(static_cast<std::int64_t>(std::min<std::uint64_t>(id->number, INT32_MAX))));
  }
  record.started_at = event.t;
  record.log_offset = event.log_offset;
  record.error_log_offset = event.error_log_offset;
  record.exit_recorded = false;
  record.stopping_at.reset();
  record.waiting_until.reset();
  record.pid.reset();
}

bool is_death(const Event& event) {
  const bool success = event.code == 0;
  const bool unknown = !event.code && !event.signal && !event.message;
  return !event.asked.value_or(false) && !success && !unknown;
}

void end_run(JobRecord& record, const Event& event) {
  record.state = "dead";
  record.exit_recorded = true;
  record.pid.reset();
  const double ran = event.ran.value_or(0);
  record.last_exit = ExitView{.code = event.code,
                              .signal = event.signal,
                              .core = event.core.value_or(false),
                              .oom = event.oom,
                              .ran = ran,
                              .at = event.t,
                              .reason = event.message,
                              .run_id = event.run_id,
                              .log_offset = record.log_offset,
                              .asked = event.asked,
                              .forced = event.forced};
  if (event.asked.value_or(false)) {
    record.young_ends = 0;
    return;
  }
  const Duration length = bounded_seconds(ran);
  record.young_ends = Backoff::count_after(static_cast<int>(record.young_ends), length);
  if (length >= Backoff::healthy) {
    record.deaths_in_a_row = 0;
    record.first_death_in_row_at.reset();
  }
  if (!is_death(event)) return;
  if (record.deaths_in_a_row == 0) record.first_death_in_row_at = event.t;
  record.deaths = bounded_count(record.deaths + 1);
  record.deaths_in_a_row = bounded_count(record.deaths_in_a_row + 1);
}

void set_wanted(JobRecord& record, const Event& event) {
  record.wanted = event.wanted.value_or(false);
  record.anew = record.wanted && event.anew.value_or(false);
  if (!record.wanted) return;
  // Asked for by hand: the patience with it starts anew.
  record.young_ends = 0;
  record.deaths_in_a_row = 0;
  record.first_death_in_row_at.reset();
}

void note_spawned(JobRecord& record, const Event& event) {
  record.pid = event.pid;
  record.start_ticks = event.start_ticks;
  record.boot_id = event.boot_id;
}

void note_hash(JobRecord& record, const Event& event) {
  record.md5 = event.md5;
  record.binary = BinaryView{.path = event.binary.value_or(""),
                             .dev = event.binary_dev.value_or(0),
                             .inode = event.binary_inode.value_or(0),
                             .size = event.binary_size.value_or(0),
                             .mtime_ns = event.binary_mtime_ns.value_or(0)};
}

void set_state(JobRecord& record, const Event& event) {
  record.state = event.event;
}

void pass_hook(JobRecord& record, const Event& /*event*/) {
  record.state = "starting";
  record.hook_passed = true;
  record.pid.reset();
}

void begin_waiting(JobRecord& record, const Event& event) {
  set_state(record, event);
  record.waiting_until = event.until;
}

void begin_stopping(JobRecord& record, const Event& event) {
  set_state(record, event);
  record.stopping_at = event.t;
}

void be_stopped(JobRecord& record, const Event& event) {
  set_state(record, event);
  record.waiting_until.reset();
}

void begin_running(JobRecord& record, const Event& event) {
  set_state(record, event);
  record.started_at = event.t;
}

void restore(JobRecord& record, const Event& event) {
  JobRecord checkpoint;
  if (!event.state || !from_json(*event.state, checkpoint)) return;
  for (auto* count : {&checkpoint.runs, &checkpoint.deaths, &checkpoint.deaths_in_a_row, &checkpoint.young_ends}) {
    *count = bounded_count(*count);
  }
  record = std::move(checkpoint);
}

using Apply = void (*)(JobRecord&, const Event&);
const std::unordered_map<std::string_view, Apply>& rules() {
  static const std::unordered_map<std::string_view, Apply> table = {
      {"starting", begin_run},    {"pre-run", set_state},     {"running", begin_running},   {"exited", end_run},
      {"post-run", set_state},    {"waiting", begin_waiting}, {"stopping", begin_stopping}, {"stopped", be_stopped},
      {"wanted", set_wanted},     {"spawned", note_spawned},  {"hashed", note_hash},        {"checkpoint", restore},
      {"hook-passed", pass_hook},
  };
  return table;
}

constexpr double request_memory_seconds = 600;

}  // namespace

void apply(JobRecord& record, const Event& event) {
  if (const auto rule = rules().find(event.event); rule != rules().end()) rule->second(record, event);
}

namespace {

void note_upgrade(Picture& picture, const Event& event) {
  if (!event.code) {
    picture.upgrade = UpgradeRecord{};
    picture.upgrade->manager_from = event.manager_version.value_or("");
    picture.upgrade->keeper_from = event.keeper_version.value_or("");
  }
  if (!picture.upgrade) return;  // its beginning was lost
  picture.upgrade->t = event.t;
  picture.upgrade->key = event.key.value_or("");
  picture.upgrade->code = event.code;
  picture.upgrade->manager_to = event.manager_version.value_or("");
  picture.upgrade->keeper_to = event.keeper_version.value_or("");
  picture.upgrade->message = event.message.value_or("");
}

}  // namespace

std::vector<Event> events_of(const UpgradeRecord& upgrade) {
  Event begun;
  begun.t = upgrade.t;
  begun.event = "upgrade";
  begun.key = upgrade.key;
  begun.manager_version = upgrade.manager_from;
  begun.keeper_version = upgrade.keeper_from;
  if (!upgrade.code) return {begun};
  Event over = begun;
  over.code = upgrade.code;
  over.manager_version = upgrade.manager_to;
  over.keeper_version = upgrade.keeper_to;
  if (!upgrade.message.empty()) over.message = upgrade.message;
  return {begun, over};
}

void apply(Picture& picture, const Event& event) {
  if (event.event == "upgrade") return note_upgrade(picture, event);
  if (event.key) {
    SeenRequest& seen = picture.requests[*event.key];
    seen.t = event.t;
    if (event.job) seen.jobs.push_back(*event.job);
  }
  if (!event.job) return;
  if (event.event == "cleaned") {
    picture.jobs.erase(*event.job);
    return;
  }
  if (!rules().contains(event.event)) return;
  JobRecord& record = picture.jobs[*event.job];
  apply(record, event);
  record.name = *event.job;
}

void forget_old_requests(Picture& picture, double now) {
  std::erase_if(picture.requests, [&](const auto& seen) { return seen.second.t + request_memory_seconds < now; });
  if (picture.upgrade && picture.upgrade->t + request_memory_seconds < now) picture.upgrade.reset();
}

namespace {

Result<std::vector<std::uint64_t>> segments(const std::string& dir) {
  auto names = list_dir(dir);
  if (!names) return pass(names, "cannot read the journal");
  std::vector<std::uint64_t> numbers;
  for (const auto& name : *names) {
    if (const auto number = segment_number(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void fold_text(Picture& picture, const std::string& path, std::string_view text) {
  std::size_t number = 0;
  bool complained = false;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    const auto event = parse_event(line);
    if (event) {
      apply(picture, *event);
      continue;
    }
    ++picture.skipped_lines;
    if (std::exchange(complained, true)) continue;
    picture.complaints.push_back(path + ":" + std::to_string(number) +
                                 ": a line is skipped: " + event.error().message());
  }
}

}  // namespace

Result<Picture> fold_journal(const std::string& dir, std::string_view tail) {
  auto numbers = segments(dir);
  if (!numbers) return pass(numbers);
  Picture picture;
  std::vector<std::pair<std::string, std::string>> texts;  // newest first
  for (auto number = numbers->rbegin(); number != numbers->rend(); ++number) {
    const std::string path = segment_path(dir, *number);
    auto text = read_file(path, std::size_t{1} << 30U);
    if (!text) {
      picture.complaints.push_back(text.error().message());
      continue;
    }
    const bool whole = text->find(R"("event":"checkpoint-end")") != std::string::npos;
    texts.emplace_back(path, std::move(*text));
    if (whole) break;
  }
  if (texts.empty()) texts.emplace_back(dir, "");
  texts.front().second += tail;
  for (auto text = texts.rbegin(); text != texts.rend(); ++text) fold_text(picture, text->first, text->second);
  return picture;
}

}  // namespace usvc
