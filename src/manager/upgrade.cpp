#include "manager/upgrade.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/files.h"
#include "base/program.h"
#include "base/text.h"
#include "base/version.h"
#include "job/exit_status.h"
#include "manager/instance.h"
#include "manager/operations.h"
#include "manager/readable.h"

namespace usvc {

using keeper::Role;

namespace {

constexpr auto answer_limit = std::chrono::seconds(5);
// From the request to the end of this manager.
constexpr auto keeper_limit = std::chrono::seconds(20);

Error nothing_changed(Error error) {
  return std::move(error).context("no upgrade").hint("nothing was changed");
}

Result<Fd> open_program(const std::string& path) {
  auto program = open_file(path, O_PATH);
  if (!program) return pass(program);
  struct stat info {};
  if (::fstat(program->get(), &info) != 0) return fail(Error::last(path));
  if (!S_ISREG(info.st_mode)) return fail(path + ": no program");
  if (::access(path.c_str(), X_OK) != 0) return fail(Error::last(path));
  return out_of_the_way(*program);
}

Status end_and_reap(FdRef pidfd) {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) != 0) return fail(Error::last("waitid"));
  const ExitStatus status = ExitStatus::from(info);
  if (status.success()) return {};
  return fail(status.describe());
}

// Has it say its version: a program that lacks a library, or is none at all, is found out before anything is ended.
asio::awaitable<Status> must_answer(asio::io_context* io, FdRef program, std::string path, std::string name) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) co_return fail(Error::last("cannot make a pipe"));
  const Fd reading(ends[0]);
  const Fd writing(ends[1]);
  SpawnOptions options;
  options.program = open_program_path(program);
  const std::vector<std::string> args = {path, "--version"};
  const std::vector<InheritedFd> fds = {{writing, STDOUT_FILENO}, {program, program.get()}};
  auto child = spawn_program(args, fds, options);
  if (!child) co_return pass(child);
  Fd pidfd = try_duplicate(child->pidfd);
  const auto deadline = std::chrono::steady_clock::now() + answer_limit;
  const bool ended = pidfd && co_await readable_until(io, std::move(pidfd), deadline);
  if (!ended) (void)::kill(-child->pid, SIGKILL);
  const Status status = end_and_reap(child->pidfd);
  if (!ended) co_return fail(path + " --version does not end");
  if (!status) co_return fail(path + " --version: " + status.error().message());
  std::string said(200, '\0');
  const ssize_t got = ::read(reading.get(), said.data(), said.size());
  said.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (!said.starts_with(name + " ")) co_return fail(path + " is no " + name);
  co_return Status();
}

UpgradeReply reply_of(const UpgradeRecord& record) {
  return {.manager_from = record.manager_from,
          .manager_to = record.manager_to,
          .keeper_from = record.keeper_from,
          .keeper_to = record.keeper_to};
}

std::string words(const UpgradeRecord& record) {
  return "manager " + record.manager_from + " -> " + own_version() + ", keeper " + record.keeper_from + " -> ";
}

}  // namespace

Status Upgrade::meet(const std::vector<HeldItem>& items) {
  for (const auto& item : items) {
    if (item.id != keeper::upgrade_item) continue;
    flags_ = item.flags;
    guard_ = item.pid;
    for (const auto& held : item.fds) {
      if (held.role != Role::token) continue;
      if (!keeper::take_token(held.fd))
        return fail("the keeper was killed in an upgrade, and its guard has taken over");
      under_way_ = on_trial_ = true;
    }
  }
  return {};
}

void Upgrade::catch_up() {
  if (!under_way_ && flags_ != 0) told(flags_);
}

void Upgrade::told(std::uint32_t flags) {
  const bool done = (flags & keeper::flag_upgraded) != 0;
  if (!done && (flags & keeper::flag_rolled_back) == 0) return;
  // The manager that has asked for it still runs: the keeper could not even begin.
  conclude(done,
           token_ ? "refused by the keeper, nothing has changed" : "rolled back: the new version did not come up");
  instance_.keeper().drop(keeper::upgrade_item);
}

bool Upgrade::outlive_keeper() {
  if (!token_ && !on_trial_) return true;  // none, or its programs are still being looked at
  if (token_ && !keeper::take_token(token_)) return false;
  const bool done = !token_ && (flags_ & keeper::flag_trial) != 0;
  conclude(done, token_ ? "the keeper was killed meanwhile, the old version goes on"
                        : "rolled back: the new version did not come up");
  return true;
}

void Upgrade::conclude(bool done, const std::string& why) {
  under_way_ = on_trial_ = false;
  token_.reset();
  const auto& record = instance_.picture().upgrade;
  if (record && !record->code) {
    Event over;
    over.event = "upgrade";
    over.key = record->key;
    over.code = done ? 0 : 1;
    over.manager_version = own_version();
    over.keeper_version = instance_.keeper().keeper_version();
    if (!done) over.message = why;
    Event shown;
    shown.event = done ? "upgraded" : "error";
    shown.message = done ? words(*record) + *over.keeper_version : "upgrade: " + why;
    instance_.record(std::move(over));
    instance_.record(std::move(shown));
  }
  for (Wakeup* waiting : waiting_) waiting->notify();
}

asio::awaitable<Status> Upgrade::begin(UpgradeRequest request) {
  if (!request.directory.starts_with('/')) {
    co_return fail("an upgrade needs the absolute path of the programs' directory", ErrorKind::usage);
  }
  const std::string keeper_path = request.directory + "/usvc-keeper";
  const std::string manager_path = request.directory + "/usvc-manager";
  const auto new_keeper = open_program(keeper_path);
  if (!new_keeper) co_return fail(nothing_changed(new_keeper.error()));
  const auto new_manager = open_program(manager_path);
  if (!new_manager) co_return fail(nothing_changed(new_manager.error()));
  Status answers = co_await must_answer(&instance_.io(), *new_keeper, keeper_path, "usvc-keeper");
  if (answers) answers = co_await must_answer(&instance_.io(), *new_manager, manager_path, "usvc-manager");
  if (!answers) co_return fail(nothing_changed(answers.error()));
  if (instance_.shutting_down) co_return fail("the instance is shutting down");  // meanwhile
  token_ = Fd(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!token_) co_return fail(nothing_changed(Error::last("cannot make an eventfd")));
  Event event;
  event.event = "upgrade";
  event.key = request.key;
  event.manager_version = own_version();
  event.keeper_version = instance_.keeper().keeper_version();
  if (auto kept = instance_.commit(std::move(event)); !kept) co_return fail(nothing_changed(kept.error()));
  co_return instance_.keeper().upgrade(*new_keeper, *new_manager, token_);
}

asio::awaitable<Result<UpgradeReply>> Upgrade::run(UpgradeRequest request) {
  if (request.key.empty()) co_return fail("an upgrade needs a key", ErrorKind::usage);
  const auto& record = instance_.picture().upgrade;
  const auto settled = [&] { return record && record->key == request.key && record->code; };
  if (under_way_ && (!record || record->key != request.key)) co_return fail("another upgrade is under way");
  if (!under_way_ && !settled()) {
    if (instance_.shutting_down) co_return fail("the instance is shutting down");
    under_way_ = true;
    if (auto begun = co_await begin(request); !begun) {
      under_way_ = false;
      token_.reset();
      for (Wakeup* wakeup : waiting_) wakeup->notify();
      co_return pass(begun);
    }
  }
  Wakeup wakeup(instance_.io());
  const auto place = waiting_.insert(waiting_.end(), &wakeup);
  const auto deadline = Wakeup::Clock::now() + keeper_limit;
  while (!settled() && under_way_ && Wakeup::Clock::now() < deadline) (void)co_await wakeup.wait_until(deadline);
  waiting_.erase(place);
  if (!settled()) {
    co_return fail(Error("the keeper does not begin the upgrade").hint("see " + instance_.layout().instance_log));
  }
  if (*record->code != 0) co_return fail(Error(record->message).hint("see " + instance_.layout().instance_log));
  co_return reply_of(*record);
}

asio::awaitable<Result<UpgradeReply>> upgrade_instance(Instance* instance, UpgradeRequest request) {
  return instance->upgrade().run(std::move(request));
}

}  // namespace usvc
