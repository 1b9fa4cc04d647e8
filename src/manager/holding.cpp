// What an instance does when something ends: a run, the keeper, a run's output; and how everything is held twice.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/fault_point.h"
#include "keeper/launch.h"
#include "manager/instance.h"
#include "manager/life.h"
#include "manager/readable.h"
#include "proc/members.h"
#include "proc/orphan.h"

namespace usvc {

using keeper::Role;

namespace {

constexpr auto keeper_retry = std::chrono::milliseconds(200);
// How long a zombie's reaper (init, mostly) may take until the end is called unknown.
constexpr auto reaper_patience = std::chrono::seconds(5);

}  // namespace

void Instance::on_exit(const keeper::Message& exit) {
  const std::string id = keeper::id_of(exit);
  const auto job = job_of_item(id);
  if (job && job->run && job->run->item_id() == id) {
    if (job->run->end) return;
    fault_point("manager.exit-received");
    job->run->end = end_from(exit, unix_now());
    job->wakeup.notify();
    return;
  }
  if (const auto launching = launching_.find(id); launching != launching_.end()) {
    launching->second = end_from(exit, unix_now());
    return;
  }
  const auto leftover = leftovers_.find(id);
  if (leftover == leftovers_.end()) return keeper_->drop(id);  // a child that was never let go
  leftover->second.end = end_from(exit, unix_now());
  capture_->drain(id);
}

std::optional<RunEnd> Instance::early_end(const std::string& id) const {
  const auto launching = launching_.find(id);
  return launching == launching_.end() ? std::nullopt : launching->second;
}

void Instance::on_drained(const std::string& id) {
  const auto job = job_of_item(id);
  if (job && job->run && job->run->item_id() == id) {
    job->run->drained = true;
    job->wakeup.notify();
    return;
  }
  if (leftovers_.erase(id) > 0) keeper_->drop(id);
}

void Instance::on_stuck(const std::string& id, int error) {
  const auto job = job_of_item(id);
  if (!job) return;
  const int before = std::exchange(job->log_error, error);
  if (error == before) return;
  if (error != 0) {
    const Error why = Error::from_errno(error, "its output waits: the log can't be written");
    record_error(job->name, why.message() + " (tried again every second)");
  } else {
    record_error(job->name, "the log can be written again, nothing is lost");
  }
  job->wakeup.notify();
  job->changed();
}

void Instance::on_carry_lost(const std::string& id, Carry stuck, Carry fresh) {
  Run* run = nullptr;
  const auto job = job_of_item(id);
  if (job && job->run && job->run->item_id() == id) run = &*job->run;
  if (const auto leftover = leftovers_.find(id); leftover != leftovers_.end()) run = &leftover->second;
  if (run != nullptr) {
    run->carry = std::move(stuck);
    // First the run gets the old pipe, then everybody the new one: whoever reads this half done finds the bytes.
    const std::vector<Lent> own = {{Role::carry_read, run->carry.read}, {Role::carry_write, run->carry.write}};
    (void)keeper_->hold(id, own, 0, run->terminal);
  }
  fault_point("carry.exchange");
  carry_ = std::move(fresh);
  const std::vector<Lent> lent = {{Role::carry_read, carry_.read}, {Role::carry_write, carry_.write}};
  (void)keeper_->hold(keeper::carry_item, lent);
  capture_->carry_replaced();
}

asio::awaitable<void> Instance::let_go() {
  leaving_ = true;
  alerts_.stop();
  keeper_->quit();
  asio::steady_timer pause(io_);
  while (!keeper_->idle()) {
    pause.expires_after(std::chrono::milliseconds(5));
    (void)co_await pause.async_wait(as_result);
  }
}

// Its children are init's now; what it held, we hold too.
void Instance::on_keeper_lost() {
  if (leaving_) return;
  fault_point("manager.keeper-lost");
  if (auto started = keeper_->restart(); !started) {
    record_error("", started.error().message());
    auto timer = std::make_shared<asio::steady_timer>(io_, keeper_retry);
    timer->async_wait([this, timer](boost::system::error_code error) {
      if (!error) on_keeper_lost();
    });
    return;
  }
  fault_point("manager.keeper-started");
  hand_over_everything();
  write_pids();
  Event event;
  event.event = "keeper-started";
  event.pid = keeper_->keeper_pid();
  record(std::move(event));
}

void Instance::hand_over_everything() {
  const auto hold = [this](const std::string& id, const std::vector<Lent>& fds, pid_t pid = 0, bool terminal = false) {
    if (auto held = keeper_->hold(id, fds, pid, terminal); !held) record_error("", held.error().message());
  };
  hold("usvc:lock", {{Role::lock, lock_}});
  hold("usvc:listener", {{Role::listener, listener_}});
  hold(keeper::carry_item,
       {{Role::carry_read, carry_.read}, {Role::carry_write, carry_.write}, {Role::carry_owner, carry_owner_}});
  for (const auto& [name, job] : jobs_) {
    if (!job->run) continue;
    Run& run = *job->run;
    const bool was_child = std::exchange(run.keeper_child, false);
    hold(run.item_id(), run.held(), run.pid, run.terminal);
    fault_point("manager.hand-over");
    if (was_child && !run.end) asio::co_spawn(io_, watch_orphan(run.item_id()), must_not_throw);
  }
  for (auto& [id, run] : leftovers_) {
    run.keeper_child = false;
    hold(id, run.held(), run.pid, run.terminal);
  }
  keeper_->up();
}

// The end of a process that is not the keeper's child: the pidfd says when, the kernel (if it can) how.
asio::awaitable<void> Instance::watch_orphan(std::string id) {
  const auto job = job_of_item(id);
  if (!job || !job->run) co_return;
  asio::posix::stream_descriptor pidfd(io_, ::fcntl(job->run->pidfd.get(), F_DUPFD_CLOEXEC, 3));
  (void)co_await pidfd.async_wait(asio::posix::stream_descriptor::wait_read, as_result);
  RunEnd end;
  end.at = unix_now();
  const auto give_up_at = Wakeup::Clock::now() + reaper_patience;
  asio::steady_timer pause(io_);
  for (;;) {
    if (!job->run || job->run->item_id() != id || job->run->end) co_return;
    auto status = zombie_exit_status(job->run->pid, job->run->start_ticks);
    if (!status) status = exit_status_from_pidfd(FdRef(pidfd.native_handle()));
    if (status) end.status = ExitStatus::from_wait_status(*status);
    const bool reaped_unseen = !status && ::access(("/proc/" + std::to_string(job->run->pid)).c_str(), F_OK) != 0;
    if (status || reaped_unseen || Wakeup::Clock::now() >= give_up_at) break;
    pause.expires_after(std::chrono::milliseconds(5));  // its new parent has yet to reap it: nothing tells us when
    (void)co_await pause.async_wait(as_result);
  }
  job->run->end = end;
  job->wakeup.notify();
}

void Instance::name_unknown_strays() {
  const auto strays = std::make_shared<std::vector<Member>>();
  asio::post(workers_, [this, strays, keeper = keeper_->keeper_pid(), known = known_pids()] {
    *strays = unknown_strays(keeper, known);
    asio::post(io_, [this, strays] {
      // Strays that bear the mark of a job that lives are that job's own daemons; USVC_RUN_ID is an alert being sent.
      for (const auto& stray : *strays) {
        if (environ_value(stray.pid, "USVC_RUN") || environ_value(stray.pid, "USVC_RUN_ID")) continue;
        // A child the keeper has made a moment ago and that has not become its program.
        if (stray.comm == keeper::launching_comm || stray.comm == "usvc-keeper") continue;
        if (!named_strays_.emplace(stray.pid, stray.start_ticks).second) continue;
        record_error("", "process " + std::to_string(stray.pid) + " (" + stray.comm +
                             ") has escaped from a job and can't be told which (tree = cgroup or subreaper tells)");
      }
    });
  });
}

}  // namespace usvc
