#include "manager/instance.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/files.h"
#include "base/signals.h"
#include "base/text.h"
#include "job/names.h"
#include "job/run_id.h"
#include "journal/reader.h"
#include "log/files.h"
#include "log/tail.h"
#include "manager/conf_store.h"
#include "manager/exit_text.h"
#include "manager/keeper_trouble.h"
#include "manager/life.h"
#include "manager/log_file.h"
#include "manager/readable.h"
#include "manager/sweep.h"
#include "proc/cgroup.h"
#include "proc/host.h"

namespace usvc {

namespace {

// Launches at a time: each has some ten descriptors in flight.
constexpr int most_launches = 32;
// Whoever waits for one of them asks within a moment.
constexpr std::size_t most_cleaned = 1000;
constexpr auto journal_retry = std::chrono::seconds(1);

}  // namespace

Instance::Instance(asio::io_context& io, Layout layout)
    : io_(io),
      layout_(std::move(layout)),
      hostname_(host_name()),
      started_at_(unix_now()),
      launches_(io, most_launches),
      hashing_(io, workers_),
      alerts_(io, [this](const std::string& job, const std::string& who, const Status& status) {
        Event told;
        told.t = unix_now();
        told.event = "alert";
        told.job = job;
        told.message = status ? "told " + who : "could not tell " + who + ": " + status.error().message();
        record(std::move(told));
      }) {}

Instance::~Instance() {
  capture_.reset();  // its thread calls back into this object
  workers_.join();
}

Status Instance::load() {
  // With many jobs their confs take as long as the journal.
  ConfsAhead confs(layout_);
  auto picture = fold_journal(layout_.journal_dir, journal_ ? std::string_view(journal_->pending()) : "");
  if (picture) {
    picture_ = std::move(*picture);
  } else if (picture.error().code() != ENOENT) {
    return pass(picture);
  }
  forget_old_requests(picture_, unix_now());
  const bool knows_nothing = picture_.jobs.empty() && picture_.skipped_lines == 0;
  find_new_confs(confs.take());
  if (knows_nothing && !jobs_.empty()) {
    picture_.complaints.push_back(layout_.journal_dir + " knows of no job: which of them are wanted is not known");
  }
  for (const auto& [name, record] : picture_.jobs) {
    if (jobs_.contains(name) || !record.wanted) continue;
    picture_.complaints.push_back(layout_.conf_path(name) + " is missing: the job was wanted");
  }
  // What the journal knows of jobs whose conf is gone: somebody removed it by hand.
  std::erase_if(picture_.jobs,
                [this](const auto& entry) { return !jobs_.contains(entry.first) && entry.second.exit_recorded; });
  return {};
}

void Instance::find_new_confs(FoundConfs ahead) {
  struct stat info {};
  const bool seen = ::stat(layout_.jobs_dir.c_str(), &info) == 0;
  const double changed = static_cast<double>(info.st_mtim.tv_sec) + static_cast<double>(info.st_mtim.tv_nsec) / 1e9;
  if (seen && changed == confs_seen_) return;
  const auto names = list_dir(layout_.jobs_dir);
  if (!names) return;
  // A directory that has just changed may change again within the same tick of its clock.
  confs_seen_ = unix_now() - changed > 1 ? changed : -1;
  odd_confs_.clear();
  for (const auto& file : *names) {
    const auto conf_of = job_of_conf(file);
    if (!conf_of) continue;
    const std::string& name = *conf_of;
    if (const auto good = check_job_name(name); !good) {
      odd_confs_.push_back(layout_.jobs_dir + "/" + printable(file) + " is no job: " + good.error().message());
      continue;
    }
    if (jobs_.contains(name)) continue;
    const auto read = ahead.find(name);
    const auto job = add_job(name, read != ahead.end() ? std::move(read->second) : find_conf(layout_, name));
    const auto state = job_state_from(record_of(*job).state);
    job->state = job->conf ? state.value_or(JobState::stopped) : JobState::invalid;
  }
}

std::shared_ptr<Job> Instance::add_bare_job(const std::string& name) {
  auto job = std::make_shared<Job>(io_, name);
  jobs_[name] = job;
  picture_.jobs[name].name = name;
  return job;
}

void Instance::begin_life(const std::shared_ptr<Job>& job) {
  job->life = std::make_unique<Life>(this, job.get());
  if (lives_begun_) asio::co_spawn(io_, job->life->live(job), must_not_throw);
}

std::shared_ptr<Job> Instance::add_job(const std::string& name, FoundConf found) {
  auto job = add_bare_job(name);
  take_found(*job, std::move(found));
  begin_life(job);
  return job;
}

std::shared_ptr<Job> Instance::add_job(const std::string& name, WindowSize window, const Conf* written) {
  auto job = add_bare_job(name);
  job->window = window;
  if (written != nullptr) {
    job->note_conf(stamp_of(layout_.conf_path(name)));
    LoadedConf known{.conf = *written};
    fill_in(known.conf, layout_, name);
    take_conf(*job, std::move(known));
    job->conf_just_written = true;
  } else {
    read_conf(*job);
  }
  begin_life(job);
  return job;
}

void Instance::remove_job(const std::shared_ptr<Job>& job, CleanedJob cleaned) {
  const JobRecord& last = record_of(*job);
  cleaned.runs = last.runs;
  cleaned.run_id = last.run_id;
  if (last.last_exit && last.last_exit->run_id == last.run_id) cleaned.exit = *last.last_exit;
  cleaned.log_offset = last.log_offset;
  cleaned.error_log_offset = last.error_log_offset;
  job->cleaned = std::make_shared<const CleanedJob>(std::move(cleaned));
  cleaned_.push_back(job->cleaned);
  if (cleaned_.size() > most_cleaned) cleaned_.pop_front();
  job->removed = true;
  job->wakeup.notify();
  Event told;
  told.t = unix_now();
  told.event = "cleaned";
  told.job = job->name;
  jobs_.erase(job->name);
  drop_input(job->name);
  alerts_.forget(job->name);
  record(std::move(told));
  job->changed();
}

std::shared_ptr<const CleanedJob> Instance::cleaned_run(const std::string& run_id) const {
  const auto is_it = [&](const auto& job) { return job->run_id == run_id; };
  const auto found = std::find_if(cleaned_.rbegin(), cleaned_.rend(), is_it);
  return found == cleaned_.rend() ? nullptr : *found;
}

void Instance::read_conf(Job& job) {
  const FileStamp now = stamp_of(layout_.conf_path(job.name));
  const bool stands = now == job.conf_stamp && job.conf_stands();
  job.conf_just_written = false;
  if (stands) return;
  take_found(job, {now, !may_change_unseen(now), load_conf(layout_, job.name)});
}

void Instance::take_found(Job& job, FoundConf found) {
  job.note_conf(found.stamp);
  job.conf_settled = found.settled;
  job.conf_error.clear();
  job.conf_trouble.clear();
  if (found.conf) return take_conf(job, std::move(*found.conf));
  job.conf.reset();
  job.conf_error = found.conf.error().message();
}

void Instance::take_conf(Job& job, LoadedConf loaded) {
  Conf& conf = loaded.conf;
  job.conf_follows_stamp = loaded.in_one_file;
  conf.name.clear();
  if (conf.log == layout_.log_path(job.name)) conf.log.clear();
  if (job.conf && *job.conf == conf) return;
  auto shared = latest_conf_.lock();
  if (!shared || *shared != conf) shared = std::make_shared<const Conf>(std::move(conf));
  latest_conf_ = job.conf = std::move(shared);
}

void Instance::notice_edited_confs() {
  if (!online()) return;  // all have just been read
  if (!conf_watch_) conf_watch_ = ConfWatch::create(layout_.jobs_dir);
  const auto edited = conf_watch_->take();
  for (const auto& [name, job] : jobs_) {
    // What is wrong may also be in an included file, or pass: for want of descriptors, say.
    if (!edited || edited->contains(name) || job->conf_is_wrong()) look_at_conf(*job);
  }
}

void Instance::look_at_conf(Job& job) {
  const FileStamp now = stamp_of(layout_.conf_path(job.name));
  if (now == job.conf_stamp && job.conf_settled && !job.conf_is_wrong()) return;
  if (!job.conf && job.state == JobState::invalid) {
    read_conf(job);
    if (job.conf) job.post(JobEvent::finished);
    return;
  }
  job.note_conf(now);
  auto loaded = load_conf(layout_, job.name);
  job.conf_trouble.clear();
  if (loaded || !job.conf) return;
  std::string mend = loaded.error().hint();
  mend += (mend.empty() ? "" : "; ") + std::string("mend it before the next start of ") + job.name;
  job.conf_trouble = std::move(loaded).error().hint(std::move(mend)).message();
}

std::shared_ptr<Job> Instance::find(std::string_view name) const {
  const auto found = jobs_.find(name);
  return found == jobs_.end() ? nullptr : found->second;
}

Result<std::vector<std::shared_ptr<Job>>> Instance::select(const std::vector<std::string>& words) {
  const auto by_state = [](const std::string& word) { return word.starts_with("state:"); };
  if (std::any_of(words.begin(), words.end(), by_state)) notice_edited_confs();
  std::deque<std::string> groups;  // which the references borrow from
  std::vector<JobRef> refs;
  refs.reserve(jobs_.size());
  for (const auto& [name, job] : jobs_) {
    groups.push_back(job->conf ? job->conf->group : group_of_name(name));
    refs.push_back({.name = name,
                    .group = groups.back(),
                    .state = job->known_state(),
                    .live = is_live(job->state),
                    .has_conf = true});
  }
  auto names = usvc::select(words, refs);
  if (!names) return pass(names);
  std::vector<std::shared_ptr<Job>> selected;
  for (const auto& name : *names) selected.push_back(jobs_.at(name));
  return selected;
}

void Instance::record(Event event) {
  if (event.t == 0) event.t = unix_now();
  // What the journal can't keep is told to those who look; what was seen stays true.
  if (auto kept = keep(event); !kept) std::fprintf(stderr, "usvc-manager: %s\n", kept.error().message().c_str());
  apply_and_tell(event);
}

Status Instance::commit(Event event) {
  if (event.t == 0) event.t = unix_now();
  if (auto kept = keep(event); !kept) return kept;
  apply_and_tell(event);
  return {};
}

Status Instance::keep(const Event& event) {
  if (!journal_) return {};
  if (auto kept = journal_->append(event); !kept) return kept;
  if (journal_->waiting() && online() && !std::exchange(journal_waits_, true)) {
    asio::co_spawn(io_, write_what_waits(), must_not_throw);
  }
  return {};
}

void Instance::apply_and_tell(const Event& event) {
  if (journal_ && !listeners_.empty() && !is_record(event)) {
    const std::string line = event_line(event);
    for (const auto& listener : listeners_) listener(line);
  }
  apply(picture_, event);
  if (event.event == "wanted" && journal_) sync_soon();
  if (journal_ && journal_->wants_checkpoint()) {
    forget_old_requests(picture_, event.t);
    (void)journal_->checkpoint(picture_, event.t);  // the segment goes on until it can be done
  }
  if (!event.job) return;
  if (const auto job = find(*event.job)) job->changed();
}

// The disk does not take the journal: it is tried again every second, and told when it is over.
asio::awaitable<void> Instance::write_what_waits() {
  const double since = unix_now();
  record_error("", journal_->trouble() + ": its lines wait in memory (tried again every second)");
  asio::steady_timer pause(io_);
  while (journal_->waiting()) {
    pause.expires_after(journal_retry);
    (void)co_await pause.async_wait(as_result);
    (void)journal_->flush();
  }
  journal_waits_ = false;
  const auto seconds = static_cast<long long>(unix_now() - since);
  record_error("", "the journal can be written again, after " + std::to_string(seconds) + " s; nothing of it is lost");
}

std::vector<std::string> Instance::troubles() const {
  std::vector<std::string> all = odd_confs_;
  if (journal_ && journal_->waiting()) all.push_back(journal_->trouble());
  if (const auto trouble = online() ? keeper_trouble(keeper_->keeper_pid(), keeper_->silent()) : std::nullopt) {
    all.push_back(trouble->message() + ": no job can be started and no end is seen until then");
  }
  if (const Result<Settings>& now = settings(); !now) all.push_back(now.error().message());
  // A manager that runs has put these into the journal.
  if (!online()) all.insert(all.end(), picture_.complaints.begin(), picture_.complaints.end());
  return all;
}

void Instance::sync_soon() {
  if (std::exchange(sync_pending_, true)) {
    sync_again_ = true;
    return;
  }
  asio::post(workers_, [this] {
    const auto home = open_file(layout_.home, O_RDONLY | O_DIRECTORY);
    if (home) (void)::syncfs(home->get());  // what it could not write, the kernel tries again
    asio::post(io_, [this] {
      sync_pending_ = false;
      if (std::exchange(sync_again_, false)) sync_soon();
    });
  });
}

void Instance::record_error(const std::string& job, const std::string& message) {
  Event error;
  error.t = unix_now();
  error.event = "error";
  if (!job.empty()) error.job = job;
  error.message = message;
  record(std::move(error));
}

const SeenRequest* Instance::seen(const std::string& key) const {
  if (key.empty()) return nullptr;
  const auto found = picture_.requests.find(key);
  return found == picture_.requests.end() ? nullptr : &found->second;
}

void Instance::capture_run(Run& run, const std::string& job) {
  rotator_.settle(run);
  capture_->add(source_of(run, job));
}

std::string Instance::log_path_of(const Job& job) const {
  return job.conf && !job.conf->log.empty() ? job.conf->log : layout_.log_path(job.name);
}

std::vector<std::string> Instance::log_paths_of(const Job& job) const {
  std::vector<std::string> paths = {log_path_of(job)};
  if (job.conf_or_defaults().split) paths.push_back(error_log_of(paths.front()));
  return paths;
}

std::shared_ptr<Job> Instance::other_owner_of(const std::string& log, const Job& job) const {
  for (const auto& [name, other] : jobs_) {
    if (other.get() == &job) continue;
    const auto paths = log_paths_of(*other);
    if (std::find(paths.begin(), paths.end(), log) != paths.end()) return other;
  }
  return nullptr;
}

std::vector<Run*> Instance::all_runs() {
  std::vector<Run*> runs;
  runs.reserve(leftovers_.size() + jobs_.size());
  for (auto& [id, run] : leftovers_) runs.push_back(&run);
  for (const auto& [name, job] : jobs_) {
    if (job->run) runs.push_back(&*job->run);
  }
  return runs;
}

LogPlace Instance::place_of(const std::string& log, const std::string& job) const {
  if (log.empty()) return {};
  LogPlace place{.path = log};
  if (::access(index_of(log).c_str(), F_OK) != 0) place.next_position = begin_position(layout_, log);
  if (const auto known = find(job)) place.max_size = known->conf_or_defaults().log_max_size;
  return place;
}

// Where the journal says that this run's output begins in the log.
std::optional<RunStart> Instance::start_in_log(const Run& run, const RunId& id, const std::string& job,
                                               std::optional<std::int64_t> JobRecord::*offset) const {
  const auto known = picture_.jobs.find(job);
  if (known == picture_.jobs.end() || known->second.run_id != run.run_id || !(known->second.*offset)) return {};
  const double at = known->second.started_at.value_or(0);
  return RunStart{.position = static_cast<std::uint64_t>(*(known->second.*offset)),
                  .time_us = static_cast<std::int64_t>(at * 1e6),
                  .run = static_cast<std::uint32_t>(id.number),
                  .nonce = id.nonce};
}

CaptureSource Instance::source_of(const Run& run, const std::string& job) const {
  CaptureSource source;
  source.id = run.item_id();
  source.job = job;
  source.terminal = run.terminal;
  source.output = run.output;
  source.log = run.log;
  source.place = place_of(run.log_path, job);
  if (run.error_output && run.error_log) {
    source.error_output = run.error_output;
    source.error_log = run.error_log;
    source.error_place = place_of(run.error_log_path, job);
  }
  if (const auto id = parse_run_id(run.run_id)) {
    source.run = static_cast<std::uint32_t>(id->number);
    source.nonce = id->nonce;
    source.began = start_in_log(run, *id, job, &JobRecord::log_offset);
    source.error_began = start_in_log(run, *id, job, &JobRecord::error_log_offset);
  }
  if (run.carry.read) {
    source.carry_read = duplicate(run.carry.read);
    source.carry_write = duplicate(run.carry.write);
  }
  return source;
}

void Instance::release_run(Job& job) {
  Run run = std::move(*job.run);
  job.run.reset();
  if (run.terminal && run.phase == Phase::main && !job.redrawing)
    job.window = window_size(run.output).value_or(job.window);
  const std::string id = run.item_id();
  if (run.drained)
    keeper_->drop(id);
  else
    leftovers_.emplace(id, std::move(run));
}

std::vector<pid_t> Instance::known_pids() const {
  std::vector<pid_t> pids = {::getpid(), keeper_->keeper_pid()};
  for (const auto& [name, job] : jobs_) {
    if (job->run) pids.push_back(job->run->pid);
  }
  for (const auto& [id, run] : leftovers_) pids.push_back(run.pid);
  if (upgrade_.guard() > 0) pids.push_back(upgrade_.guard());
  std::sort(pids.begin(), pids.end());
  return pids;
}

bool Instance::was_out_of_memory(const Run& run) {
  const auto before = std::exchange(oom_kills_, oom_kills());
  if (run.cgroup) {
    if (const auto own = oom_kills_in(run.cgroup->path())) return *own > 0;
  }
  return before && oom_kills_ && *oom_kills_ > *before;
}

void Instance::alert(Job& job, const Event& exit) {
  if (!job.conf || job.conf->alerts.empty() || exit.asked.value_or(false) || exit.code == 0) return;
  const JobRecord& now = record_of(job);
  AlertFacts facts;
  facts.job = job.name;
  facts.group = job.conf->group;
  facts.host = hostname_;
  facts.run_id = exit.run_id.value_or("");
  facts.code = exit.code;
  facts.signal = exit.signal;
  facts.core = exit.core.value_or(false);
  facts.ran = exit.ran.value_or(0);
  facts.at = exit.t;
  facts.deaths = now.deaths;
  if (now.last_exit) facts.text = exit_text(*now.last_exit);
  const std::int64_t begin = now.last_exit ? std::max<std::int64_t>(now.last_exit->log_offset.value_or(0), 0) : 0;
  const Settings settings = this->settings().value_or(Settings());
  facts.last_lines =
      last_lines(layout(), log_path_of(job), Span{static_cast<std::uint64_t>(begin)}, settings.alert_lines);
  alerts_.send(job.conf->alerts, std::move(facts), job.conf->cwd, settings.alert_pause);
}

}  // namespace usvc
