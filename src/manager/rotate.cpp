#include "manager/rotate.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/fault_point.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/time.h"
#include "log/disposal.h"
#include "log/files.h"
#include "log/index.h"
#include "manager/instance.h"
#include "manager/log_file.h"
#include "manager/readable.h"

namespace usvc {

using keeper::Role;

namespace {

constexpr auto handing_pause = std::chrono::milliseconds(5);

LogFile with_number(const LogFile& rotated, std::uint32_t number) {
  LogFile file;
  file.path = fmt::format("{}.{:06}", rotated.path.substr(0, rotated.path.rfind('.')), number);
  file.index_path = index_of(file.path);
  file.number = number;
  return file;
}

}  // namespace

Rotator::Rotator(Instance* instance)
    : instance_(*instance),
      archive_(instance->layout(),
               {.removed =
                    [this](const Archive::Task& task, const std::string& what) {
                      asio::post(instance_.io(), [this, job = task.job, what] { tell_rotated(job, what); });
                    },
                .failed =
                    [this](const Archive::Task& task, const Error& error) {
                      asio::post(instance_.io(),
                                 [this, job = task.job, why = error.message()] { instance_.record_error(job, why); });
                    }}) {}

std::vector<Rotator::Writer> Rotator::writers_to(const std::string& path) {
  std::vector<Writer> writers;
  for (Run* run : instance_.all_runs()) {
    if (run->log && run->log_path == path) writers.push_back({run, false});
    if (run->error_log && run->error_log_path == path) writers.push_back({run, true});
  }
  return writers;
}

std::string Rotator::job_of(const std::string& path) const {
  for (const auto& [name, job] : instance_.jobs()) {
    const auto logs = instance_.log_paths_of(*job);
    if (std::find(logs.begin(), logs.end(), path) != logs.end()) return name;
  }
  return "";
}

// The archive may be about to see to a file of a number that was the last: it is never given again.
Result<LogFile> Rotator::next_name(const std::string& path) {
  auto next = next_rotated(instance_.layout(), path);
  if (!next) return next;
  std::uint32_t& last = last_numbers_[path];
  if (next->number <= last) *next = with_number(*next, last + 1);
  last = next->number;
  return next;
}

// The index of a log that was to be rotated and was not: a manager died in between.
void Rotator::restore_index(const std::string& path) const {
  if (::access(index_of(path).c_str(), F_OK) == 0) return;
  const auto next = next_rotated(instance_.layout(), path);
  if (!next || next->number == 1) return;
  const LogFile last = with_number(*next, next->number - 1);
  for (const std::string_view end : {std::string_view(), compressed_log_end}) {
    if (::access((last.path + std::string(end)).c_str(), F_OK) == 0) return;
  }
  if (is_log_index(last.index_path)) (void)std::rename(last.index_path.c_str(), index_of(path).c_str());
}

// Readers take a log without an index for what comes behind the file before it, so the index goes first and comes last.
Result<Fd> Rotator::renew(const std::string& path, std::optional<FileIdentity> written, std::uint64_t position,
                          std::string* renamed_to) {
  const auto there = which_file(path);
  if (there && there == written) {
    if (!is_plain_file(path)) return fail(Error(path + " is no plain file").hint("it stays as it is"));
    auto next = next_name(path);
    if (!next) return pass(next);
    (void)std::rename(index_of(path).c_str(), next->index_path.c_str());  // there may be none
    fault_point("manager.rotate-index-renamed");
    if (std::rename(path.c_str(), next->path.c_str()) != 0) {
      const Error why = Error::last("cannot rename it to " + next->path);
      (void)std::rename(next->index_path.c_str(), index_of(path).c_str());
      return fail(why);
    }
    *renamed_to = next->path;
    fault_point("manager.rotate-renamed");
  }
  auto log = open_log(path);
  if (!log) return log;
  fault_point("manager.rotate-created");
  // Where it can't be made the capture tries again.
  (void)IndexWriter::open(index_of(path), file_size(*log).value_or(0), position, unix_now_us());
  fault_point("manager.rotate-indexed");
  return log;
}

namespace {

// Where an open log lies now. Only this tells of a job whose conf can't be read any more.
std::optional<std::string> held_path(FdRef log) {
  std::error_code unknown;
  const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(log.get()), unknown).string();
  if (unknown || !which_file(path) || which_file(path) != which_file(log)) return std::nullopt;
  const std::string_view name = file_name_of(path);
  return parse_rotated_name(name, name.substr(0, name.rfind('.'))) ? std::nullopt : std::optional(path);
}

}  // namespace

void Rotator::settle(Run& run) {
  const auto job = instance_.find(Instance::job_name_of(run.item_id()));
  if (!job) return;
  if (run.log_path.empty()) {
    const std::string usual = instance_.log_path_of(*job);
    run.log_path = job->conf ? usual : held_path(run.log).value_or(usual);
    if (run.error_log) run.error_log_path = error_log_of(run.log_path);
  }
  settle_one({&run, false}, run.log_path);
  if (run.error_log) settle_one({&run, true}, run.error_log_path);
}

void Rotator::settle_one(const Writer& writer, const std::string& path) {
  restore_index(path);
  const auto written = which_file(writer.log());
  const auto there = which_file(path);
  if (there && there == written) return;
  const auto index = LogIndex::read_end(index_of(path));
  const bool marked = index && index->base() && !index->marks().empty();
  // One that was moved without its index goes on behind what has been written. An index that has nothing in it yet may
  // have been made before the last was written to the rotated log.
  const auto position =
      marked ? *index->base() + file_size(writer.log()).value_or(0) : begin_position(instance_.layout(), path);
  const bool nothing_yet = is_log_index(index_of(path)) || log_size(index_of(path)) == 0;
  if (!marked && log_size(path) == 0 && nothing_yet) (void)::unlink(index_of(path).c_str());
  std::string renamed_to;
  auto log = renew(path, written, position, &renamed_to);
  if (!log) {
    // The capture will see it too, and try again.
    return instance_.record_error(job_of(path), log.error().message() + " (output goes on into the old file)");
  }
  writer.log() = std::move(*log);
  instance_.have_held(writer.run->item_id());
}

void Rotator::begin(Rotation rotation) {
  const auto writers = writers_to(rotation.path);
  const auto writes = [](const Writer& writer) { return !writer.run->drained; };
  // One that has begun to write since the capture looked: it is to wait like any other.
  if (!rotation.captured && std::any_of(writers.begin(), writers.end(), writes)) {
    return instance_.capture().rotate(rotation.path);
  }
  asio::co_spawn(instance_.io(), run(std::move(rotation)), must_not_throw);
}

asio::awaitable<void> Rotator::run(Rotation rotation) {
  Turn turn;
  turn.rotation = std::move(rotation);
  const Status done = co_await renew_and_switch(&turn);
  conclude(turn, done);
}

// Steps 2 to 5.
asio::awaitable<Status> Rotator::renew_and_switch(Turn* turn) {
  const Rotation* rotation = &turn->rotation;
  const std::string& path = rotation->path;
  const auto writers = writers_to(path);
  const auto written = writers.empty() ? which_file(path) : which_file(writers.front().log());
  if (rotation->due == Due::asked && log_size(path) == 0) co_return Status();
  if (job_of(path).empty()) co_return fail("its job is gone");
  const LogFile live{.path = path, .index_path = index_of(path)};
  if (rotation->due == Due::asked && which_file(path) && !is_own_log(instance_.layout(), live)) {
    const bool plain = is_plain_file(path);
    co_return fail(path + " is not rotated: " +
                   (plain ? "its index tells of no job that has written to it" : "it is no plain file"));
  }
  const auto position = rotation->captured ? rotation->next_position : end_position(instance_.layout(), path);
  auto fresh = renew(path, written, position, &turn->renamed_to);
  if (!fresh) co_return pass(fresh);
  turn->renewed = true;
  std::vector<Fd> logs;
  for (std::size_t i = 0; i < writers.size(); ++i) {
    logs.push_back(try_duplicate(*fresh));
    if (!logs.back()) co_return fail(Error::last("cannot open the log"));
  }
  std::vector<Relogged> relogged;
  for (std::size_t i = 0; i < writers.size(); ++i) {
    const Writer& writer = writers[i];
    logs[i].swap(writer.log());
    relogged.push_back({writer.run->item_id(), writer.log()});
    instance_.have_held(writer.run->item_id());
    fault_point("manager.rotate-held");
  }
  // A keeper that is left alone must not write into the old log what comes after the first bytes of the new one.
  asio::steady_timer pause(instance_.io());
  while (!instance_.keeper().idle()) {
    pause.expires_after(handing_pause);
    (void)co_await pause.async_wait(as_result);
  }
  instance_.capture().relog(path, std::move(relogged), std::move(logs), position);
  co_return Status();
}

void Rotator::conclude(const Turn& turn, const Status& done) {
  const Rotation& rotation = turn.rotation;
  const std::string job = job_of(rotation.path);
  if (!done || !turn.renewed) instance_.capture().go_on(rotation.path);
  // Of a job that has been cleaned the rest of its output goes where its log went.
  if (!done && !job.empty() && failed_.insert(rotation.path).second) {
    instance_.record_error(job, "cannot rotate " + rotation.path + ": " + done.error().message() +
                                    " (output goes on into the old file; tried again after 1 MB)");
  }
  if (done && turn.renewed) {
    failed_.erase(rotation.path);
    tell_rotated(job,
                 turn.renamed_to.empty() ? rotation.path + " was moved or removed by somebody else" : turn.renamed_to);
  }
  for (auto& waiting : waiting_) {
    if (waiting.path != rotation.path) continue;
    if (done) {
      waiting.answer = turn.renamed_to;
    } else {
      waiting.answer = fail(done.error());
    }
    waiting.wakeup.notify();
  }
  if (!done || !turn.renewed) return;
  const auto next = next_rotated(instance_.layout(), rotation.path);
  if (next && next->number > 1) see_to(rotation.path, next->number - 1);
}

void Rotator::tell_unindexed(const std::string& path, const std::string& why) {
  if (!unindexed_.insert(path).second) return;
  instance_.record_error(job_of(path), "its log is written, but when is not noted: " + why);
}

asio::awaitable<Result<std::string>> Rotator::rotate(std::string path) {
  const auto waiting = waiting_.emplace(waiting_.end(), path, instance_.io());
  instance_.capture().rotate(path);
  while (!waiting->answer) co_await waiting->wakeup.wait();
  Result<std::string> answer = std::move(*waiting->answer);
  waiting_.erase(waiting);
  co_return answer;
}

Archive::Task Rotator::task_for(const Job& job, const std::string& path) {
  Archive::Task task;
  task.log = path;
  task.job = job.name;
  task.keep = static_cast<std::size_t>(job.conf_or_defaults().log_keep);
  task.group = job.conf_or_defaults().group;
  for (const auto& [name, other] : instance_.jobs()) {
    if (!other->conf || other->conf->group != task.group) continue;
    for (auto& log : instance_.log_paths_of(*other)) task.group_logs.push_back(std::move(log));
  }
  const Result<Settings>& settings = instance_.settings();
  task.group_total = settings.value_or(Settings()).log_total;
  const std::string error = settings ? "" : settings.error().message();
  if (std::exchange(settings_error_, error) != error && !error.empty()) instance_.record_error("", error);
  return task;
}

void Rotator::see_to(const std::string& path, std::uint32_t up_to) {
  const auto job = instance_.find(job_of(path));
  if (!job) return;
  const auto there = which_file(path);
  for (const auto& writer : writers_to(path)) {
    if (which_file(writer.log()) != there) return;
  }
  auto task = task_for(*job, path);
  task.up_to = up_to;
  archive_.see_to(std::move(task));
}

namespace {

// The names in each directory of rotated logs, in order.
using Listings = std::map<std::string, std::vector<std::string>>;

const std::vector<std::string>& listing_of(Listings& listings, const std::string& directory) {
  const auto [known, fresh] = listings.try_emplace(directory);
  if (fresh) known->second = list_dir(directory).value_or(std::vector<std::string>());
  if (fresh) std::sort(known->second.begin(), known->second.end());
  return known->second;
}

struct Leftovers {
  std::uint32_t last_number = 0;
  bool unfinished = false;  // something is still to be compressed
};

Leftovers leftovers_of(const std::vector<std::string>& names, const std::string& file) {
  Leftovers found;
  for (auto entry = std::lower_bound(names.begin(), names.end(), file + ".");
       entry != names.end() && entry->starts_with(file + "."); ++entry) {
    const auto rotated = parse_rotated_name(*entry, file);
    if (!rotated) continue;
    found.last_number = std::max(found.last_number, rotated->number);
    found.unfinished =
        found.unfinished || rotated->kind == RotatedKind::plain || rotated->kind == RotatedKind::unfinished;
  }
  return found;
}

}  // namespace

void Rotator::see_to_all() {
  Listings listings;
  for (const auto& [name, job] : instance_.jobs()) {
    const std::string log = instance_.log_path_of(*job);
    for (const auto& path : {log, error_log_of(log)}) {
      const auto& names = listing_of(listings, old_logs_of(instance_.layout(), path));
      const Leftovers left = leftovers_of(names, std::string(file_name_of(path)));
      if (left.unfinished) see_to(path, left.last_number);
    }
  }
}

void Rotator::tell_rotated(const std::string& job, const std::string& what) {
  Event rotated;
  rotated.event = "rotated";
  if (!job.empty()) rotated.job = job;
  rotated.message = what;
  instance_.record(std::move(rotated));
}

}  // namespace usvc
