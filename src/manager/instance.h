// One instance: everything the manager has in hand, wired together. Lives in one thread; capture and workers have their
// own and come back by posting to the loop.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "job/layout.h"
#include "job/selector.h"
#include "journal/writer.h"
#include "log/capture.h"
#include "manager/alerts.h"
#include "manager/hashing.h"
#include "manager/job.h"
#include "manager/keeper_link.h"
#include "shapes/event.h"

namespace usvc {

class Instance {
 public:
  Instance(asio::io_context& io, Layout layout);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Reads journal and confs: what there is, without touching it. Enough for read-only requests.
  Status load();
  // Without an instance: load(), and for changes the journal, under the instance's lock.
  Status open_offline(bool to_change);
  // Takes over from an earlier manager, or begins: the keeper's items, the journal, the jobs' lives.
  Status take_over(Fd keeper_socket, std::vector<std::string> keeper_args);

  [[nodiscard]] asio::io_context& io() { return io_; }
  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] KeeperLink& keeper() { return *keeper_; }
  [[nodiscard]] Capture& capture() { return *capture_; }
  [[nodiscard]] Gate& launches() { return launches_; }
  [[nodiscard]] Hashing& hashing() { return hashing_; }
  [[nodiscard]] asio::thread_pool& workers() { return workers_; }
  // The keeper's pid as last noted, if it lives: for when there is no manager to ask.
  [[nodiscard]] std::optional<pid_t> last_keeper() const;
  [[nodiscard]] bool online() const { return keeper_ != nullptr; }
  [[nodiscard]] const std::string& cgroup_parent() const { return cgroup_parent_; }
  [[nodiscard]] const std::string& hostname() const { return hostname_; }
  [[nodiscard]] double started_at() const { return started_at_; }
  [[nodiscard]] FdRef listener() const { return listener_; }
  // For when the socket's file is gone.
  Status listen_anew();

  // The one place where the journal is written and the picture changes.
  void record(Event event);
  void record_error(const std::string& job, const std::string& message);
  [[nodiscard]] const Picture& picture() const { return picture_; }
  JobRecord& record_of(const Job& job) { return picture_.jobs[job.name]; }
  // What a request with this key has been acted on for before; nullptr: never seen.
  [[nodiscard]] const SeenRequest* seen(const std::string& key) const;
  // What is wrong with the instance itself, a line each, with the file's name.
  [[nodiscard]] std::vector<std::string> complaints() const;

  using Jobs = std::map<std::string, std::shared_ptr<Job>, std::less<>>;
  [[nodiscard]] const Jobs& jobs() const { return jobs_; }
  [[nodiscard]] std::shared_ptr<Job> find(std::string_view name) const;
  // In natural order; errors are the selector's.
  [[nodiscard]] Result<std::vector<std::shared_ptr<Job>>> select(const std::vector<std::string>& words);
  // Has a worker flush what was written to the disk, once for many changes: for the day the power fails.
  void sync_soon();
  // Looks for confs that somebody put into the directory by hand.
  void find_new_confs();
  // Reads the job's conf; on failure conf_error says why.
  void read_conf(Job& job);
  std::shared_ptr<Job> add_job(const std::string& name);
  void remove_job(const std::shared_ptr<Job>& job);

  // A child whose exit comes before its launch has been seen to: kept until then.
  void begin_launch(const std::string& item_id) { launching_[item_id].reset(); }
  void end_launch(const std::string& item_id) { launching_.erase(item_id); }
  [[nodiscard]] std::optional<RunEnd> early_end(const std::string& item_id) const;
  // Names that a request has chosen and not yet made jobs of.
  std::set<std::string, std::less<>> reserved_names;

  // Begins to move a run's output.
  void capture_run(Job& job);
  // The keeper need not hold this run any more, once its output is drained; where that takes time (a full disk) the
  // run's descriptors are kept aside.
  void release_run(Job& job);
  // Pids that are main processes, or ours: no strays. Sorted.
  [[nodiscard]] std::vector<pid_t> known_pids() const;
  // Names, once each, processes whose job can't be told.
  void name_unknown_strays();
  void alert(Job& job, const Event& exit);
  // Tells the keeper to end: nothing starts another manager after this.
  asio::awaitable<void> let_go();

  // Journal lines as they are written, for those who follow events over the API.
  using Listener = std::function<void(const std::string& line)>;
  std::list<Listener>& listeners() { return listeners_; }

  bool shutting_down = false;
  std::function<void()> quit;  // ends the loop

 private:
  void write_pids() const;
  Status prepare_directories() const;
  Status take_lock(std::vector<HeldItem>& items);
  Status take_listener(std::vector<HeldItem>& items);
  Status take_carry(std::vector<HeldItem>& items);
  void adopt(std::vector<HeldItem>& items);
  void adopt_item(HeldItem item);
  void adopt_leftover(HeldItem item);
  void end_survivor(const std::shared_ptr<Job>& job);
  void begin_lives();

  void on_exit(const keeper::Message& exit);
  void on_keeper_lost();
  void hand_over_everything();
  asio::awaitable<void> watch_orphan(std::string item_id);
  void on_drained(const std::string& item_id);
  void on_stuck(const std::string& item_id, int error);
  void on_carry_lost(const std::string& item_id, Carry stuck, Carry fresh);
  std::shared_ptr<Job> job_of_item(const std::string& item_id) const;

  asio::io_context& io_;
  Layout layout_;
  std::string hostname_;
  std::string cgroup_parent_;  // empty: none delegated
  double started_at_;
  Picture picture_;
  std::unique_ptr<JournalWriter> journal_;
  std::string journal_trouble_;
  std::vector<std::string> foreign_confs_;  // confs that can't be a job's, and why
  Jobs jobs_;
  std::unique_ptr<KeeperLink> keeper_;
  Fd lock_;
  Fd listener_;
  Carry carry_;
  Fd carry_owner_;
  std::unique_ptr<Capture> capture_;
  Gate launches_;
  asio::thread_pool workers_{2};  // one may wait for the disk while the other looks through /proc
  bool sync_pending_ = false;
  Hashing hashing_;
  Alerts alerts_;
  std::list<Listener> listeners_;
  std::map<std::string, Run> leftovers_;  // by item id: ended, recorded, their output not yet all in the log
  std::set<std::pair<pid_t, std::uint64_t>> named_strays_;
  std::map<std::string, std::optional<RunEnd>> launching_;  // by item id
  bool leaving_ = false;                                    // the keeper has been told to go
};

// For the time of one launch.
class Launching {
 public:
  Launching(Instance* instance, std::string item_id) : instance_(*instance), id_(std::move(item_id)) {
    instance_.begin_launch(id_);
  }
  ~Launching() { instance_.end_launch(id_); }
  Launching(const Launching&) = delete;
  Launching& operator=(const Launching&) = delete;
  [[nodiscard]] std::optional<RunEnd> early_end() const { return instance_.early_end(id_); }

 private:
  Instance& instance_;
  std::string id_;
};

}  // namespace usvc
