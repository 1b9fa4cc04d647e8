#include "log/archive.h"

#include <fmt/core.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/fault_point.h"
#include "base/files.h"
#include "base/text.h"
#include "log/compress.h"
#include "log/disposal.h"

namespace usvc {

namespace {

void add_name(std::string& names, const std::string& path) {
  if (!names.empty()) names += ", ";
  names += file_name_of(path);
}

// Both fail only where they do not matter.
void take_what_others_leave() {
  const sched_param none{};
  (void)::sched_setscheduler(0, SCHED_IDLE, &none);
  constexpr int of_this_thread = 1;  // IOPRIO_WHO_PROCESS
  constexpr int idle_class = 3 << 13;
  (void)::syscall(SYS_ioprio_set, of_this_thread, 0, idle_class);
}

std::vector<LogFile> own_rotated_files(const Layout& layout, const std::string& log) {
  auto files = log_files(layout, log);
  if (!files) return {};
  files->pop_back();  // the live one
  std::erase_if(*files, [&](const LogFile& file) { return !is_own_log(layout, file); });
  return std::move(*files);
}

}  // namespace

Archive::Archive(Layout layout, Events events) : layout_(std::move(layout)), events_(std::move(events)) {}

Archive::~Archive() {
  stop_ = true;
  {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Archive::see_to(Task task) {
  const std::lock_guard lock(mutex_);
  std::erase_if(tasks_, [&](const Task& known) { return known.log == task.log; });
  tasks_.push_back(std::move(task));
  if (!thread_.joinable()) thread_ = std::thread([this] { loop(); });
  wake_.notify_all();
}

void Archive::loop() {
  take_what_others_leave();
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !tasks_.empty(); });
    if (stop_) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    work(task);
    lock.lock();
  }
}

void Archive::work(const Task& task) {
  finish_earlier(task);
  drop_oldest(task);
  for (const auto& file : own_rotated_files(layout_, task.log)) {
    if (!file.compressed && file.number <= task.up_to && !stop_) compress(task, file);
  }
  if (!stop_) keep_total(task);
}

// What a killed one has left.
void Archive::finish_earlier(const Task& task) {
  const std::lock_guard lock(files_);
  const std::string directory = old_logs_of(layout_, task.log);
  const auto names = list_dir(directory);
  if (!names) return;
  for (const auto& name : *names) {
    const auto rotated = parse_rotated_name(name, file_name_of(task.log));
    if (!rotated) continue;
    const std::string path = fmt::format("{}/{}", directory, name);
    // Beside a compressed file the raw one is about to go.
    const std::string packed = path + std::string(compressed_log_end);
    const std::string raw = fmt::format("{}/{}.{:06}", directory, file_name_of(task.log), rotated->number);
    if (!is_own_log(layout_, {.path = path, .index_path = index_of(raw), .number = rotated->number})) continue;
    const bool done = rotated->kind == RotatedKind::plain && ::access(packed.c_str(), F_OK) == 0;
    if (done || rotated->kind == RotatedKind::unfinished) (void)::unlink(path.c_str());
  }
}

void Archive::drop_oldest(const Task& task) {
  const auto files = own_rotated_files(layout_, task.log);
  std::string names;
  for (std::size_t i = 0; i + task.keep < files.size() && files[i].number <= task.up_to; ++i) {
    remove(files[i]);
    add_name(names, files[i].path);
  }
  if (!names.empty()) events_.removed(task, names + " removed: log-keep = " + std::to_string(task.keep));
}

void Archive::compress(const Task& task, const LogFile& file) {
  const std::string target = file.path + std::string(compressed_log_end);
  const std::string unfinished = file.path + std::string(unfinished_log_end);
  if (auto done = compress_file(file.path, unfinished, stop_); !done) {
    (void)::unlink(unfinished.c_str());
    // A log that was cleaned meanwhile is nobody's any more.
    if (done.error().code() != ECANCELED && ::access(file.path.c_str(), F_OK) == 0) events_.failed(task, done.error());
    return;
  }
  fault_point("manager.archive-written");
  const std::lock_guard lock(files_);
  const bool there = ::access(file.path.c_str(), F_OK) == 0;
  if (!there || std::rename(unfinished.c_str(), target.c_str()) != 0) {
    (void)::unlink(unfinished.c_str());
    return;
  }
  fault_point("manager.archive-renamed");
  (void)::unlink(file.path.c_str());
}

// Of all the group's logs together, the oldest compressed files go first.
void Archive::keep_total(const Task& task) {
  struct Candidate {
    LogFile file;
    std::int64_t changed;
    std::uint64_t size;
  };
  std::vector<Candidate> candidates;
  std::uint64_t total = 0;
  for (const auto& log : task.group_logs) {
    const auto files = log_files(layout_, log);
    if (!files) continue;
    for (const auto& file : *files) {
      struct stat info {};
      if (::stat(file.path.c_str(), &info) != 0) continue;
      total += static_cast<std::uint64_t>(info.st_size);
      const std::int64_t changed = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
      if (file.compressed && is_own_log(layout_, file))
        candidates.push_back({file, changed, static_cast<std::uint64_t>(info.st_size)});
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.changed < b.changed; });
  std::string names;
  for (const auto& candidate : candidates) {
    if (total <= task.group_total) break;
    remove(candidate.file);
    total -= candidate.size;
    add_name(names, candidate.file.path);
  }
  if (names.empty()) return;
  events_.removed(task, names + " removed: the logs of group " + task.group +
                            " had more than log-total = " + format_size(task.group_total));
}

void Archive::remove(const LogFile& file) {
  const std::lock_guard lock(files_);
  // An index without its log would be taken for one whose log is about to be rotated.
  (void)::unlink(file.index_path.c_str());
  (void)::unlink(file.path.c_str());
}

}  // namespace usvc
