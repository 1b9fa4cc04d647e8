// The list of jobs for those who look on for long: kept up to date by a thread of its own, which asks the manager only
// for what the journal says has changed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/watch.h"
#include "cli/context.h"
#include "journal/reader.h"
#include "shapes/requests.h"
#include "shapes/views.h"

namespace usvc {

// How the instance is reached.
enum class Reach : std::uint8_t {
  answers,
  ended,    // its manager has just ended, the next one is awaited
  silent,   // it does not answer
  offline,  // none runs
};

struct News {
  std::optional<std::vector<JobView>> all;  // the whole list
  std::vector<JobView> changed;             // or parts of it
  std::vector<std::string> gone;
  std::optional<std::vector<std::string>> troubles;
  std::set<std::string> touched;  // jobs that something has happened to
  Reach reach = Reach::answers;
  std::string why;                       // it is not reached, or nothing was found
  std::optional<std::int64_t> replaced;  // the manager is another one: its pid
};

class Feed {
 public:
  // `context` outlives it. Signals are to be blocked before.
  static Result<std::unique_ptr<Feed>> start(const Context& context, std::vector<std::string> selectors);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  Feed(Feed&&) = delete;
  Feed& operator=(Feed&&) = delete;

  [[nodiscard]] FdRef fd() const { return news_fd_; }  // readable: there is news
  std::vector<News> take();

 private:
  using Clock = std::chrono::steady_clock;
  Feed(const Context& context, std::vector<std::string> selectors, std::optional<Watch> watch, Fd news, Fd stop);

  void run();
  void read_journal();
  void note(const Event& event);
  void fetch();
  bool fetch_changed();
  void fetch_all();
  void fetch_offline();
  void unreachable(Error error);
  void answered(JobsReply reply, bool whole);
  void meet_manager();
  bool wait_for_changes(Duration longest);
  void rest();
  void post(News news);

  const Context* context_;
  std::vector<std::string> selectors_;
  std::optional<Watch> watch_;  // none left (the kernel gives a user 128): it looks once a second
  JournalReader journal_;
  Fd news_fd_;
  Fd stop_fd_;
  std::atomic<bool> stopping_ = false;

  std::mutex mutex_;
  std::vector<News> news_;  // what was not taken yet

  // The thread's own.
  Reach reach_ = Reach::answers;
  Clock::time_point trouble_since_;
  bool all_wanted_ = true;
  bool disk_changed_ = true;
  std::set<std::string> known_;    // names, as last told
  std::set<std::string> touched_;  // since the last fetch
  std::vector<std::string> gone_;
  Clock::time_point next_fetch_;
  Clock::time_point next_all_;
  std::int64_t manager_pid_ = 0;
  Fd manager_;  // pidfd

  std::thread thread_;
};

}  // namespace usvc
