// What an instance does when something ends: a run, the keeper, a run's output; and how everything is held twice.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/fault_point.h"
#include "base/files.h"
#include "manager/in_worker.h"
#include "manager/instance.h"
#include "manager/keeper_trouble.h"
#include "manager/launching.h"
#include "manager/life.h"
#include "manager/readable.h"
#include "proc/members.h"
#include "proc/orphan.h"

namespace usvc {

using keeper::Role;

namespace {

// Between keepers, when one dies young or can't be started: twice as long each time.
constexpr auto first_keeper_pause = std::chrono::milliseconds(50);
constexpr int most_keeper_doublings = 4;
// Before what the keeper could not be given is offered again: nothing tells when there is room.
constexpr auto hold_pause = std::chrono::milliseconds(100);
// Between two looks at a process that seems to be nobody's.
constexpr auto stray_pause = std::chrono::milliseconds(500);
constexpr double keeper_youth = 1;  // seconds
// How long a zombie's reaper (init, mostly) may take until the end is called unknown.
constexpr auto reaper_patience = std::chrono::seconds(5);

}  // namespace

void Instance::on_exit(const keeper::Message& exit) {
  on_end(keeper::id_of(exit), end_from(exit));
}

void Instance::on_end(const std::string& id, RunEnd end) {
  if (Run* run = find_run(id)) {
    if (run->end) return;
    fault_point("manager.exit-received");
    run->end = std::move(end);
    if (leftovers_.contains(id)) return capture_->drain(id);
    return job_of_item(id)->wakeup.notify();
  }
  if (const auto launching = launching_.find(id); launching != launching_.end()) {
    launching->second = std::move(end);
    return;
  }
  keeper_->drop(id);  // a child that was never let go
}

std::optional<RunEnd> Instance::end_launch(const std::string& id, bool keep) {
  const auto launching = launching_.extract(id);
  if (launching.empty()) return std::nullopt;
  if (!keep && launching.mapped()) keeper_->drop(id);
  return launching.mapped();
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
    const Error why = Error::from_errno(error, "its output waits: the log cannot be written");
    record_error(job->name, why.message() + " (tried again every second)");
  } else {
    record_error(job->name, "the log can be written again, nothing is lost");
  }
  job->wakeup.notify();
  job->changed();
}

// First the run gets the old pipe, then everybody the new one: whoever reads this half done finds the bytes.
asio::awaitable<void> Instance::exchange_carry(std::string id, Carry stuck, Carry fresh) {
  if (Run* run = find_run(id)) {
    run->carry = std::move(stuck);
    co_await hold_until_done(id);
  }
  fault_point("carry.exchange");
  carry_ = std::move(fresh);
  co_await hold_until_done(keeper::carry_item);
  capture_->carry_replaced();
}

void Instance::on_silent(bool silent) {
  const auto trouble = keeper_trouble(keeper_->keeper_pid(), silent);
  const std::string what = trouble ? trouble->message() : "the keeper does not answer";
  record_error("", silent ? what : "the keeper answers again");
}

// Until the keeper has it, or will before it does anything else; or until there is nothing of that name any more.
asio::awaitable<void> Instance::hold_until_done(std::string id) {
  asio::steady_timer pause(io_);
  while (const auto holding = what_to_hold(id)) {
    const Status held = co_await keeper_->hold_surely(id, holding->fds, holding->pid, holding->terminal);
    if (held) co_return;
    pause.expires_after(hold_pause);
    (void)co_await pause.async_wait(as_result);
  }
}

std::optional<Holding> Instance::what_to_hold(const std::string& id) {
  Holding holding;
  if (id == lock_item) {
    holding.fds = {{Role::lock, lock_}};
  } else if (id == listener_item) {
    holding.fds = {{Role::listener, listener_}};
  } else if (id == spill_item) {
    holding.fds = {{Role::spill, spill_}};
  } else if (id == keeper::carry_item) {
    holding.fds = {{Role::carry_read, carry_.read}, {Role::carry_write, carry_.write}};
    holding.fds.push_back({Role::carry_owner, carry_owner_});
  } else if (id.starts_with(input_item_prefix)) {
    const Fd* input = input_of(id.substr(std::string_view(input_item_prefix).size()));
    if (input == nullptr) return std::nullopt;
    holding.fds = {{Role::input, *input}};
  } else if (const Run* run = find_run(id)) {
    holding = {.fds = run->held(), .pid = run->pid, .terminal = run->terminal};
    // The keeper watches its own children by the descriptor it has.
    if (run->keeper_child) std::erase_if(holding.fds, [](const Lent& lent) { return lent.role == Role::pidfd; });
  } else {
    return std::nullopt;
  }
  return holding;
}

void Instance::have_held(const std::string& id) {
  const auto holding = what_to_hold(id);
  if (holding && !keeper_->hold(id, holding->fds, holding->pid, holding->terminal)) on_not_held(id);
}

void Instance::on_not_held(const std::string& id) {
  const bool under_way = !unheld_.empty();
  unheld_.insert(id);
  if (!under_way) asio::co_spawn(io_, hold_anew(), must_not_throw);
}

// What is held by one side only is lost with that side.
asio::awaitable<void> Instance::hold_anew() {
  record_error("",
               "no descriptors left to hold everything twice: a kill of the manager would cost jobs their output "
               "(tried again until it works; raise the hard limit, ulimit -Hn)");
  asio::steady_timer pause(io_);
  for (bool all_held = false; !all_held;) {
    const std::set<std::string> ids = unheld_;
    all_held = true;
    for (const auto& id : ids) {
      unheld_.erase(id);  // before: what is found missing meanwhile is to be offered again
      Status held;
      if (const auto holding = what_to_hold(id)) {
        held = co_await keeper_->hold_surely(id, holding->fds, holding->pid, holding->terminal);
      }
      if (!held) unheld_.insert(id);
      all_held = all_held && held;
    }
    all_held = all_held && unheld_.empty();
    if (all_held) break;
    pause.expires_after(hold_pause);
    (void)co_await pause.async_wait(as_result);
  }
  record_error("", "everything is held twice again");
}

asio::awaitable<void> Instance::let_go() {
  leaving_ = true;
  alerts_.stop();
  // Where they stay behind, the instance has been killed: that is how its foreground process tells.
  for (const auto* path : {&layout_.keeper_pid, &layout_.manager_pid}) (void)remove_all(*path);
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
  if (!upgrade_.outlive_keeper()) std::_Exit(0);
  fault_point("manager.keeper-lost");
  const bool young = unix_now() - keeper_since_ < keeper_youth;
  keeper_failures_ = young ? keeper_failures_ + 1 : 0;
  if (keeper_failures_ < 2) return replace_keeper();  // one that was killed; two in a row are seen to more slowly
  const auto pause = first_keeper_pause * (1 << std::min(keeper_failures_, most_keeper_doublings));
  auto timer = std::make_shared<asio::steady_timer>(io_, pause);
  timer->async_wait([this, timer](boost::system::error_code error) {
    if (!error && !leaving_) replace_keeper();
  });
}

void Instance::replace_keeper() {
  keeper_since_ = unix_now();
  if (auto started = keeper_->restart(); !started) {
    record_error("", started.error().message());
    return on_keeper_lost();
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
  for (const auto* id : {lock_item, listener_item, spill_item, keeper::carry_item}) have_held(id);
  const auto hold_orphan = [&](Run& run) {
    const bool was_child = std::exchange(run.keeper_child, false);
    have_held(run.item_id());
    fault_point("manager.hand-over");
    if (was_child) watch_if_orphan(run);
  };
  for (const auto& [job, input] : inputs_) have_held(input_item_prefix + job);
  for (const auto& [name, job] : jobs_) {
    if (job->run) hold_orphan(*job->run);
  }
  for (auto& [id, run] : leftovers_) hold_orphan(run);
  keeper_->up();
}

Run* Instance::find_run(const std::string& id) {
  if (const auto job = job_of_item(id); job && job->run && job->run->item_id() == id) return &*job->run;
  const auto leftover = leftovers_.find(id);
  return leftover == leftovers_.end() ? nullptr : &leftover->second;
}

Status Instance::hold_input(const std::string& job, Fd input) {
  const Fd& held = inputs_[job] = std::move(input);
  return keeper_->hold(input_item_prefix + job, {{Role::input, held}});
}

const Fd* Instance::input_of(const std::string& job) const {
  const auto input = inputs_.find(job);
  return input == inputs_.end() ? nullptr : &input->second;
}

void Instance::drop_input(const std::string& job) {
  if (inputs_.erase(job) > 0) keeper_->drop(input_item_prefix + job);
}

std::size_t Instance::leftovers_of(const std::string& job) const {
  return static_cast<std::size_t>(std::count_if(leftovers_.begin(), leftovers_.end(),
                                                [&](const auto& entry) { return job_name_of(entry.first) == job; }));
}

bool Instance::output_waits(const std::string& run_id) const {
  return leftovers_.contains(item_id(run_id, Phase::main));
}

void Instance::watch_if_orphan(const Run& run) {
  if (!run.keeper_child && !run.end) asio::co_spawn(io_, watch_orphan(run.item_id()), must_not_throw);
}

// The end of a process that is not the keeper's child: the pidfd says when, the kernel (if it can) how.
asio::awaitable<void> Instance::watch_orphan(std::string id) {
  const Run* run = nullptr;
  asio::steady_timer pause(io_);
  for (bool ended = false; !ended;) {
    run = find_run(id);
    if (run == nullptr || run->end) co_return;
    Fd pidfd = try_duplicate(run->pidfd);
    if (pidfd) {
      ended = co_await readable_until(&io_, std::move(pidfd), Wakeup::Clock::now() + std::chrono::hours(1));
    } else {  // out of descriptors: nothing tells when there are some again
      pause.expires_after(hold_pause);
      (void)co_await pause.async_wait(as_result);
    }
  }
  RunEnd end;
  end.at = unix_now();
  const auto give_up_at = Wakeup::Clock::now() + reaper_patience;
  for (;;) {
    run = find_run(id);
    if (run == nullptr || run->end) co_return;
    auto status = zombie_exit_status(run->pid, run->start_ticks);
    if (!status) status = exit_status_from_pidfd(run->pidfd);
    if (status) end.status = ExitStatus::from_wait_status(*status);
    const bool reaped_unseen = !status && ::access(("/proc/" + std::to_string(run->pid)).c_str(), F_OK) != 0;
    if (status || reaped_unseen || Wakeup::Clock::now() >= give_up_at) break;
    pause.expires_after(std::chrono::milliseconds(5));  // its new parent has yet to reap it: nothing tells us when
    (void)co_await pause.async_wait(as_result);
  }
  on_end(id, std::move(end));
}

void Instance::name_unknown_strays() {
  asio::co_spawn(io_, name_strays(), must_not_throw);
}

// One that is just ending, or becoming another program, has no environment for a moment: so it is looked at twice.
asio::awaitable<void> Instance::name_strays() {
  std::vector<Member> suspects = co_await unmarked_strays();
  std::erase_if(suspects, [this](const Member& stray) {
    return named_strays_.contains({stray.pid, stray.start_ticks});
  });
  if (suspects.empty()) co_return;
  asio::steady_timer pause(io_, stray_pause);
  (void)co_await pause.async_wait(as_result);
  const std::vector<Member> still = co_await unmarked_strays();
  for (const auto& stray : still) {
    if (std::find(suspects.begin(), suspects.end(), stray) == suspects.end()) continue;
    if (!named_strays_.emplace(stray.pid, stray.start_ticks).second) continue;
    record_error("", "process " + std::to_string(stray.pid) + " (" + stray.comm +
                         ") has escaped from a job and cannot be told which (tree = cgroup or subreaper tells)");
  }
}

// Strays that bear the mark of a job that lives are that job's own daemons; USVC_RUN_ID is an alert being sent.
asio::awaitable<std::vector<Member>> Instance::unmarked_strays() {
  auto look = [keeper = keeper_->keeper_pid(), known = known_pids()] {
    std::vector<Member> strays = unknown_strays(keeper, known);
    std::erase_if(strays, [&](const Member& stray) {
      return environ_value(stray.pid, "USVC_RUN") || environ_value(stray.pid, "USVC_RUN_ID") ||
             is_being_launched(stray, keeper);
    });
    return strays;
  };
  std::vector<Member> found = co_await in_worker(this, std::move(look));
  // Launched while the worker looked.
  const std::vector<pid_t> known = known_pids();
  std::erase_if(found, [&](const Member& stray) { return std::binary_search(known.begin(), known.end(), stray.pid); });
  co_return found;
}

}  // namespace usvc
