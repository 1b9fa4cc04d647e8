// Sees to rotated logs, in a thread of its own that takes what time and disk others leave: compresses them, and removes
// the oldest beyond what is to be kept. A kill at any instruction leaves what the next look completes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "job/layout.h"
#include "log/files.h"

namespace usvc {

class Archive {
 public:
  struct Task {
    std::string log;  // the live file's path
    std::string job;
    std::uint32_t up_to = 0;  // files with a higher number may still be written to
    std::size_t keep = 0;
    std::string group;
    std::vector<std::string> group_logs;
    std::uint64_t group_total = 0;  // that they may have together
  };
  // Called in the archive's thread.
  struct Events {
    std::function<void(const Task& task, const std::string& what)> removed;
    std::function<void(const Task& task, const Error& error)> failed;
  };

  Archive(Layout layout, Events events);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  // Takes the place of an earlier task for this log that has not begun.
  void see_to(Task task);
  // While this is held no rotated log comes, goes or changes its name by this thread's doing.
  [[nodiscard]] std::unique_lock<std::mutex> hold() { return std::unique_lock(files_); }

 private:
  void loop();
  void work(const Task& task);
  void finish_earlier(const Task& task);
  void drop_oldest(const Task& task);
  void compress(const Task& task, const LogFile& file);
  void keep_total(const Task& task);
  void remove(const LogFile& file);

  Layout layout_;
  Events events_;
  std::atomic<bool> stop_ = false;
  std::mutex files_;
  std::mutex mutex_;  // guards tasks_
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  std::thread thread_;  // from the first task on
};

}  // namespace usvc
