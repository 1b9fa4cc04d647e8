#include "cli/top/feed.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/time.h"
#include "cli/instance.h"
#include "cli/remote.h"
#include "job/selector.h"

namespace usvc {

namespace {

using namespace std::chrono_literals;

// What has changed comes together for so long, or for twenty times as long as it took to ask last.
constexpr auto gathering = 100ms;
constexpr int rest_to_work = 20;
// Some of what the manager tells is in no journal line.
constexpr auto ask_anyway = 30s;
// A manager that ended has a successor in no time; when none comes this is told.
constexpr auto trouble_patience = 5s;
// More jobs than this are not asked for one by one.
constexpr std::size_t few_jobs = 50;

Fd make_event() {
  return Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void signal_event(const Fd& event) {
  const std::uint64_t one = 1;
  // Full is as good as raised.
  (void)!::write(event.get(), &one, sizeof one);
}

}  // namespace

Feed::Feed(const Context& context, std::vector<std::string> selectors, std::optional<Watch> watch, Fd news, Fd stop)
    : context_(&context),
      selectors_(std::move(selectors)),
      watch_(std::move(watch)),
      // Damaged lines are for `usvc events` to tell of.
      journal_(context.layout.journal_dir, [](const std::string&) {}),
      news_fd_(std::move(news)),
      stop_fd_(std::move(stop)) {}

Result<std::unique_ptr<Feed>> Feed::start(const Context& context, std::vector<std::string> selectors) {
  std::optional<Watch> watch;
  if (auto made = Watch::create()) watch = std::move(*made);
  Fd news = make_event();
  Fd stop = make_event();
  if (!news || !stop) return fail(Error::last("cannot watch the jobs"));
  std::unique_ptr<Feed> feed(
      new Feed(context, std::move(selectors), std::move(watch), std::move(news), std::move(stop)));
  feed->thread_ = std::thread([running = feed.get()] { running->run(); });
  return feed;
}

Feed::~Feed() {
  stopping_ = true;
  signal_event(stop_fd_);
  if (thread_.joinable()) thread_.join();
}

std::vector<News> Feed::take() {
  std::uint64_t count = 0;
  (void)!::read(news_fd_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

void Feed::post(News news) {
  news.reach = reach_;
  {
    const std::lock_guard lock(mutex_);
    news_.push_back(std::move(news));
  }
  signal_event(news_fd_);
}

void Feed::run() {
  (void)journal_.skip_before(unix_now());
  while (!stopping_) {
    read_journal();
    const auto now = Clock::now();
    if (now >= next_all_) all_wanted_ = true;
    if ((all_wanted_ || !touched_.empty() || !gone_.empty()) && now >= next_fetch_) fetch();
    rest();
  }
}

void Feed::read_journal() {
  const auto sink = [this](const Event& event, std::string_view) -> Status {
    note(event);
    return {};
  };
  // Where there is none yet, its directory's parent will not tell: it is looked for again.
  if (!watch_ || !journal_.follow(*watch_, sink)) (void)journal_.read(sink);
  if (watch_) (void)watch_->add_dir(context_->layout.jobs_dir);
}

void Feed::note(const Event& event) {
  disk_changed_ = true;
  if (event.event == "manager-started" || event.event == "keeper-started" || event.event == "upgraded") {
    all_wanted_ = true;
  }
  if (!event.job || event.event.starts_with("checkpoint")) return;
  if (event.event == "cleaned") {
    touched_.erase(*event.job);
    gone_.push_back(*event.job);
    return;
  }
  touched_.insert(*event.job);
  std::erase(gone_, *event.job);
  // Whether the selectors mean it is for the manager to say.
  if (!selectors_.empty() && !known_.contains(*event.job)) all_wanted_ = true;
}

void Feed::fetch() {
  const auto begun = Clock::now();
  if (all_wanted_ || touched_.size() > few_jobs || reach_ != Reach::answers || !fetch_changed()) fetch_all();
  const auto now = Clock::now();
  next_fetch_ = now + std::max<Clock::duration>(gathering, (now - begun) * rest_to_work);
}

bool Feed::fetch_changed() {
  JobsReply reply;
  if (!touched_.empty()) {
    std::vector<std::string> words;
    words.reserve(touched_.size());
    for (const auto& name : touched_) words.push_back(exactly(name));
    auto asked = Remote(*context_, NoInstance::refuse).glance(words);
    // One of them is gone, or the manager is: the whole list tells.
    if (!asked) return false;
    reply = std::move(*asked);
  }
  answered(std::move(reply), false);
  return true;
}

void Feed::fetch_all() {
  auto reply = Remote(*context_, NoInstance::refuse).glance(selectors_);
  if (reply) {
    next_all_ = Clock::now() + ask_anyway;
    answered(std::move(*reply), true);
    return;
  }
  if (reply.error().kind() == ErrorKind::unreachable) {
    unreachable(std::move(reply).error());
    return;
  }
  // The selectors mean nothing now; they may again.
  next_all_ = Clock::now() + ask_anyway;
  all_wanted_ = false;
  touched_.clear();
  gone_.clear();
  known_.clear();
  reach_ = Reach::answers;
  News news;
  news.all.emplace();
  news.why = reply.error().message();
  post(std::move(news));
}

void Feed::answered(JobsReply reply, bool whole) {
  News news;
  news.touched = std::exchange(touched_, {});
  news.gone = std::exchange(gone_, {});
  for (const auto& name : news.gone) known_.erase(name);
  if (whole) {
    known_.clear();
    all_wanted_ = false;
    news.troubles = std::move(reply.troubles);
  }
  for (const auto& job : reply.jobs) known_.insert(job.name);
  (whole ? news.all.emplace() : news.changed) = std::move(reply.jobs);
  reach_ = Reach::answers;
  if (!manager_) {
    const std::int64_t before = manager_pid_;
    meet_manager();
    if (before != 0 && manager_pid_ != before) news.replaced = manager_pid_;
  }
  post(std::move(news));
}

// From now on its end is noticed at once.
void Feed::meet_manager() {
  const auto vars = Remote(*context_, NoInstance::refuse).vars();
  if (!vars || !vars->manager_pid) return;
  manager_pid_ = *vars->manager_pid;
  manager_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(manager_pid_), 0)));
}

void Feed::unreachable(Error error) {
  const bool first = reach_ == Reach::answers;
  if (first) trouble_since_ = Clock::now();
  all_wanted_ = true;
  if (!instance_runs(context_->layout)) {
    fetch_offline();
    return;
  }
  const bool long_ago = Clock::now() - trouble_since_ > trouble_patience;
  reach_ = long_ago ? Reach::silent : Reach::ended;
  News news;
  if (long_ago) news.why = explain_silence(std::move(error), context_->layout).message();
  post(std::move(news));
}

void Feed::fetch_offline() {
  const bool news_there = reach_ != Reach::offline || disk_changed_;
  reach_ = Reach::offline;
  manager_pid_ = 0;
  manager_.reset();
  if (!std::exchange(disk_changed_, false) && !news_there) return;
  auto reply = Remote(*context_, NoInstance::offline).jobs(selectors_);
  News news;
  news.touched = std::exchange(touched_, {});
  gone_.clear();
  if (reply) {
    known_.clear();
    for (const auto& job : reply->jobs) known_.insert(job.name);
    news.all = std::move(reply->jobs);
    news.troubles = std::move(reply->troubles);
  } else {
    news.why = reply.error().message();
    if (reply.error().kind() == ErrorKind::no_match) news.all.emplace();
  }
  post(std::move(news));
}

// False: the time is up, or manager or session have ended.
bool Feed::wait_for_changes(Duration longest) {
  const FdRef manager = manager_ ? FdRef(manager_) : FdRef(-1);
  if (watch_) {
    const auto changed = watch_->wait(longest, {stop_fd_, manager});
    if (changed) return *changed;
  }
  std::array<pollfd, 2> ends = {pollfd{stop_fd_.get(), POLLIN, 0}, pollfd{manager.get(), POLLIN, 0}};
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(longest).count();
  // Whether anything has changed is not known.
  return ::poll(ends.data(), ends.size(), static_cast<int>(millis)) == 0 && millis > 0;
}

void Feed::rest() {
  using std::chrono::duration_cast;
  const auto now = Clock::now();
  const bool waiting = all_wanted_ || !touched_.empty() || !gone_.empty();
  auto until = waiting ? next_fetch_ : now + Watch::look_anyway;
  // Nobody tells when an instance comes, or a manager answers again.
  if (reach_ == Reach::offline || reach_ == Reach::silent) until = std::max(until, now + 500ms);
  const auto longest = std::max<Clock::duration>(until - now, 0ms);
  const auto changed = wait_for_changes(duration_cast<Duration>(longest));
  if (changed) disk_changed_ = true;
  if (!manager_) return;
  pollfd end{manager_.get(), POLLIN, 0};
  if (::poll(&end, 1, 0) != 1) return;
  manager_.reset();
  reach_ = Reach::ended;
  trouble_since_ = Clock::now();
  all_wanted_ = true;
  next_fetch_ = Clock::now();
  post({});
}

}  // namespace usvc
