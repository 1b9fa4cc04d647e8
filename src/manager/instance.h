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
#include "job/run_id.h"
#include "job/selector.h"
#include "journal/writer.h"
#include "log/capture.h"
#include "manager/alerts.h"
#include "manager/conf_store.h"
#include "manager/conf_watch.h"
#include "manager/hashing.h"
#include "manager/job.h"
#include "manager/keeper_link.h"
#include "manager/rotate.h"
#include "manager/settings.h"
#include "manager/upgrade.h"
#include "proc/members.h"
#include "proc/oom.h"
#include "shapes/event.h"

namespace usvc {

// What the keeper holds for the instance itself, beside keeper::carry_item.
inline constexpr char lock_item[] = "usvc:lock";
inline constexpr char listener_item[] = "usvc:listener";
inline constexpr char spill_item[] = "usvc:journal";
inline constexpr char input_item_prefix[] = "usvc:input:";  // and the job's name

// What the keeper is to hold under one name.
struct Holding {
  std::vector<Lent> fds;
  pid_t pid = 0;
  bool terminal = false;
};

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
  Status take_over(Fd keeper_socket, Fd keeper_program, std::vector<std::string> keeper_args);

  [[nodiscard]] asio::io_context& io() { return io_; }
  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] KeeperLink& keeper() { return *keeper_; }
  [[nodiscard]] Upgrade& upgrade() { return upgrade_; }
  [[nodiscard]] Capture& capture() { return *capture_; }
  [[nodiscard]] Gate& launches() { return launches_; }
  [[nodiscard]] Hashing& hashing() { return hashing_; }
  [[nodiscard]] asio::thread_pool& workers() { return workers_; }
  [[nodiscard]] bool online() const { return keeper_ != nullptr; }
  // Not online, but another process is: one that does not answer. What the journal says was true a moment ago.
  [[nodiscard]] bool silent() const { return silent_; }
  [[nodiscard]] const std::string& cgroup_parent() const { return cgroup_parent_; }
  [[nodiscard]] const std::string& hostname() const { return hostname_; }
  [[nodiscard]] double started_at() const { return started_at_; }
  [[nodiscard]] FdRef listener() const { return listener_; }
  // For when the socket's file is gone.
  Status listen_anew();

  // The one place where the journal is written and the picture changes.
  // What has been seen. It counts even if the journal can't take it.
  void record(Event event);
  // What is about to be relied on: on failure nothing has changed, and it must not be done.
  Status commit(Event event);
  void record_error(const std::string& job, const std::string& message);
  [[nodiscard]] const Picture& picture() const { return picture_; }
  JobRecord& record_of(const Job& job) { return picture_.jobs[job.name]; }
  // What a request with this key has been acted on for before; nullptr: never seen.
  [[nodiscard]] const SeenRequest* seen(const std::string& key) const;
  // What needs a look and is no single job's: a journal that can't be written, files that are no jobs.
  [[nodiscard]] std::vector<std::string> troubles() const;

  using Jobs = std::map<std::string, std::shared_ptr<Job>, std::less<>>;
  [[nodiscard]] const Jobs& jobs() const { return jobs_; }
  [[nodiscard]] std::shared_ptr<Job> find(std::string_view name) const;
  // In natural order; errors are the selector's.
  [[nodiscard]] Result<std::vector<std::shared_ptr<Job>>> select(const std::vector<std::string>& words);
  // Has a worker flush what was written to the disk, once for many changes: for the day the power fails.
  void sync_soon();
  // Looks for confs that somebody put into the directory by hand. `ahead`: those that have been read already.
  void find_new_confs(FoundConfs ahead = {});
  // Reads the job's conf; on failure conf_error says why.
  void read_conf(Job& job);
  // Sees which confs have been edited since, for jobs that go on by what was read of theirs: conf_trouble says so where
  // one can't be used any more.
  void notice_edited_confs();
  // `written`: its conf, where that has just been written.
  std::shared_ptr<Job> add_job(const std::string& name, WindowSize window = {}, const Conf* written = nullptr);
  std::shared_ptr<Job> add_job(const std::string& name, FoundConf found);
  // `cleaned`: where its logs are now; the rest is filled in here.
  void remove_job(const std::shared_ptr<Job>& job, CleanedJob cleaned);
  // The last run of a job that was cleaned not long ago; nullptr: it is none, or forgotten as well.
  [[nodiscard]] std::shared_ptr<const CleanedJob> cleaned_run(const std::string& run_id) const;

  // A child whose exit comes before its launch has been seen to: kept until then.
  void begin_launch(const std::string& item_id) { launching_[item_id].reset(); }
  // What it ended with, if it has; without `keep` the keeper need not hold it any more.
  std::optional<RunEnd> end_launch(const std::string& item_id, bool keep);
  // Names that a request has chosen and not yet made jobs of.
  std::set<std::string, std::less<>> reserved_names;

  // The stdin that came with the request for a job, until its program runs.
  Status hold_input(const std::string& job, Fd input);
  [[nodiscard]] const Fd* input_of(const std::string& job) const;
  void drop_input(const std::string& job);

  // Begins to move a run's output.
  void capture_run(Run& run, const std::string& job);
  // The keeper need not hold this run any more, once its output is drained; where that takes time (a full disk) the
  // run's descriptors are kept aside.
  void release_run(Job& job);
  // Runs of all jobs, those included whose output is all that is left of them.
  [[nodiscard]] std::vector<Run*> all_runs();
  static std::string job_name_of(const std::string& item_id);
  [[nodiscard]] std::string log_path_of(const Job& job) const;
  // That, and where stderr is kept apart its log too.
  [[nodiscard]] std::vector<std::string> log_paths_of(const Job& job) const;
  // A job other than this one that this log is of; nothing: there is none.
  [[nodiscard]] std::shared_ptr<Job> other_owner_of(const std::string& log, const Job& job) const;
  [[nodiscard]] Rotator& rotator() { return rotator_; }
  // Ended runs of the job whose output is not yet all in the log.
  [[nodiscard]] std::size_t leftovers_of(const std::string& job) const;
  // The run is over, and not all that it wrote is in its log yet.
  [[nodiscard]] bool output_waits(const std::string& run_id) const;
  // Pids that are main processes, or ours: no strays. Sorted.
  [[nodiscard]] std::vector<pid_t> known_pids() const;
  // What usvc.conf says now.
  [[nodiscard]] const Result<Settings>& settings() const { return settings_.get(); }
  // Names, once each, processes whose job can't be told.
  void name_unknown_strays();
  void alert(Job& job, const Event& exit);
  // To be asked of every run that ends. Without a cgroup of its own that counts, it may have been the one that the
  // kernel has ended since the end before it.
  bool was_out_of_memory(const Run& run);
  // Has the keeper hold what there is under this name by now. Where that can't be done (no descriptors left, here or
  // there) it is tried again until it can.
  void have_held(const std::string& item_id);
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
  void take_inputs(std::vector<HeldItem>& items);
  void adopt(std::vector<HeldItem>& items);
  void adopt_item(HeldItem item);
  void adopt_leftover(Run run, Resume resume);
  Journaled journaled(const Job& job);
  void take_state(Job& job, Resume resume);
  void recover(Job& job);
  void begin_lives();
  asio::awaitable<void> mark_images();

  void on_exit(const keeper::Message& exit);
  void on_end(const std::string& item_id, RunEnd end);
  void on_keeper_lost();
  void replace_keeper();
  void hand_over_everything();
  [[nodiscard]] std::optional<Holding> what_to_hold(const std::string& item_id);
  void on_not_held(const std::string& item_id);
  void look_at_conf(Job& job);
  std::shared_ptr<Job> add_bare_job(const std::string& name);
  void begin_life(const std::shared_ptr<Job>& job);
  void take_found(Job& job, FoundConf found);
  void take_conf(Job& job, LoadedConf loaded);
  void on_silent(bool silent);
  asio::awaitable<void> hold_anew();
  asio::awaitable<void> name_strays();
  asio::awaitable<std::vector<Member>> unmarked_strays();
  void watch_if_orphan(const Run& run);
  asio::awaitable<void> watch_orphan(std::string item_id);
  // Of a job, or left over; nullptr: gone.
  Run* find_run(const std::string& item_id);
  void on_drained(const std::string& item_id);
  void on_stuck(const std::string& item_id, int error);
  asio::awaitable<void> exchange_carry(std::string item_id, Carry stuck, Carry fresh);
  asio::awaitable<void> hold_until_done(std::string item_id);
  std::shared_ptr<Job> job_of_item(const std::string& item_id) const;
  [[nodiscard]] LogPlace place_of(const std::string& log, const std::string& job) const;
  [[nodiscard]] std::optional<RunStart> start_in_log(const Run& run, const RunId& id, const std::string& job,
                                                     std::optional<std::int64_t> JobRecord::*offset) const;
  [[nodiscard]] CaptureSource source_of(const Run& run, const std::string& job) const;
  Status keep(const Event& event);
  void apply_and_tell(const Event& event);
  asio::awaitable<void> write_what_waits();
  Result<Spill> take_spill(std::vector<HeldItem>& items);

  asio::io_context& io_;
  Layout layout_;
  SettingsFile settings_{layout_};
  std::string hostname_;
  std::string cgroup_parent_;  // empty: none delegated
  double started_at_;
  Picture picture_;
  std::unique_ptr<JournalWriter> journal_;
  std::optional<ConfWatch> conf_watch_;
  std::vector<std::string> odd_confs_;
  std::weak_ptr<const Conf> latest_conf_;  // of those that were read: the next may be the same
  double confs_seen_ = -1;                 // as of this change of the directory; -1: not yet
  Jobs jobs_;
  std::deque<std::shared_ptr<const CleanedJob>> cleaned_;  // the newest last
  std::unique_ptr<KeeperLink> keeper_;
  Upgrade upgrade_{this};
  Fd lock_;
  Fd listener_;
  Carry carry_;
  Fd carry_owner_;
  Fd spill_;
  std::unique_ptr<Capture> capture_;
  Rotator rotator_{this};
  Gate launches_;
  asio::thread_pool workers_{2};  // one may wait for the disk while the other looks through /proc
  bool silent_ = false;
  bool journal_waits_ = false;  // somebody is about to write what the disk did not take
  bool sync_pending_ = false;
  bool sync_again_ = false;  // something was written while the last one was under way
  Hashing hashing_;
  Alerts alerts_;
  std::list<Listener> listeners_;
  std::map<std::string, Run> leftovers_;           // by item id: ended, recorded, their output not yet all in the log
  std::map<std::string, Fd, std::less<>> inputs_;  // by job
  std::set<std::pair<pid_t, std::uint64_t>> named_strays_;
  std::map<std::string, std::optional<RunEnd>> launching_;  // by item id
  std::set<std::string> unheld_;                            // item ids that the keeper lacks something of
  double keeper_since_ = 0;                                 // when the last one was started
  int keeper_failures_ = 0;                               // of keepers in a row that died young or could not be started
  std::optional<std::uint64_t> oom_kills_ = oom_kills();  // of the machine, so far
  bool lives_begun_ = false;                              // a new job's life begins at once
  bool leaving_ = false;                                  // the keeper has been told to go
};

// For the time of one launch.
class Launching {
 public:
  Launching(Instance* instance, std::string item_id) : instance_(*instance), id_(std::move(item_id)) {
    instance_.begin_launch(id_);
  }
  ~Launching() {
    if (open_) (void)instance_.end_launch(id_, false);
  }
  Launching(const Launching&) = delete;
  Launching& operator=(const Launching&) = delete;
  // There is a run now, which exits go to; what it has ended with already.
  std::optional<RunEnd> succeed() {
    open_ = false;
    return instance_.end_launch(id_, true);
  }

 private:
  Instance& instance_;
  std::string id_;
  bool open_ = true;
};

}  // namespace usvc
