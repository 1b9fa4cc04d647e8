#include "cli/log_remarks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/text.h"
#include "base/time.h"
#include "cli/words.h"

namespace usvc {

namespace {

std::int64_t microseconds(double t) {
  return std::abs(t) < 9e12 ? static_cast<std::int64_t>(std::llround(t * 1e6)) : 0;
}

bool worth_a_remark(const Event& event) {
  constexpr std::array<std::string_view, 7> kinds = {"running", "exited", "waiting", "stopped",
                                                     "adopted", "error",  "cleaned"};
  return std::find(kinds.begin(), kinds.end(), event.event) != kinds.end();
}

}  // namespace

std::string remark_words(const Event& event) {
  if (!worth_a_remark(event) || !event.job) return {};
  return printable(*event.job) + " " + event_words(event) + " -- " + format_time(event.t);
}

LogRemarks::LogRemarks(const Context& context, std::int64_t since_us) : reader_(context.layout.journal_dir, complain) {
  // What can't be skipped is read.
  (void)reader_.skip_before(static_cast<double>(since_us) / 1e6 - 1);
}

void LogRemarks::add_job(const std::string& name, std::int64_t from_us, std::int64_t to_us, std::string run_id) {
  jobs_.try_emplace(name, Job{from_us, to_us, std::move(run_id), {}, {}});
}

Status LogRemarks::read() {
  auto status = reader_.read([this](const Event& event, std::string_view) { return add(event); });
  release_exits();
  return status;
}

Status LogRemarks::follow(Watch& watch) {
  auto status = reader_.follow(watch, [this](const Event& event, std::string_view) { return add(event); });
  release_exits();
  return status;
}

Status LogRemarks::add(const Event& event) {
  if (is_record(event) || !event.job) return {};
  if (event.event == "starting") begun_ = true;
  const auto found = jobs_.find(*event.job);
  if (found == jobs_.end()) return {};
  Job& job = found->second;
  const std::int64_t now = microseconds(event.t);
  if (job.exit) remarks_.push_back({now, *std::exchange(job.exit, std::nullopt)});
  if (event.event == "starting") job.starting_us = now;
  if (event.event == "pre-run") job.starting_us.reset();
  const bool wanted = now >= job.from_us && now <= job.to_us && (job.run_id.empty() || event.run_id == job.run_id);
  if (wanted) place(job, now, event);
  return {};
}

void LogRemarks::place(Job& job, std::int64_t time_us, const Event& event) {
  std::string text = remark_words(event);
  if (text.empty()) return;
  if (event.event == "exited") {
    job.exit = std::move(text);
    return;
  }
  // The program has begun to write before it was noted that it runs.
  if (event.event == "running" && job.starting_us) time_us = *job.starting_us;
  remarks_.push_back({time_us, std::move(text)});
}

void LogRemarks::release_exits() {
  for (auto& [name, job] : jobs_) {
    if (job.exit) remarks_.push_back({end_of_time, *std::exchange(job.exit, std::nullopt)});
  }
  std::reverse(remarks_.begin(), remarks_.end());
  std::stable_sort(remarks_.begin(), remarks_.end(),
                   [](const Remark& a, const Remark& b) { return a.time_us > b.time_us; });
}

std::optional<std::string> LogRemarks::take(std::int64_t time_us) {
  if (remarks_.empty() || remarks_.back().time_us > time_us) return std::nullopt;
  std::string text = std::move(remarks_.back().text);
  remarks_.pop_back();
  return text;
}

}  // namespace usvc
