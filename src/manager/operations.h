// What clients can ask for. One file per verb; the routes call these, and they know nothing of HTTP.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "manager/caller.h"
#include "manager/instance.h"
#include "shapes/requests.h"
#include "shapes/views.h"

namespace usvc {

using Outcomes = Result<OutcomesReply>;

// `input`: what came with a request that says so.
asio::awaitable<Outcomes> start_new(Instance* instance, StartRequest request, Fd input);
asio::awaitable<Outcomes> start_known(Instance* instance, SelectRequest request);
asio::awaitable<Outcomes> stop_jobs(Instance* instance, SelectRequest request, std::shared_ptr<Caller> caller);
asio::awaitable<Outcomes> restart_jobs(Instance* instance, SelectRequest request);
asio::awaitable<Outcomes> clean_jobs(Instance* instance, SelectRequest request);
// Gives each a new log, unless the present one is empty. Asked again, at most a few lines are rotated once more.
asio::awaitable<Outcomes> rotate_jobs(Instance* instance, SelectRequest request);
asio::awaitable<Outcomes> signal_jobs(Instance* instance, SelectRequest request);
asio::awaitable<Result<WaitReply>> wait_for_jobs(Instance* instance, WaitRequest request,
                                                 std::shared_ptr<Caller> caller);
asio::awaitable<Outcomes> load_jobs(Instance* instance, LoadRequest request);
// Stops every job, which stays wanted. The caller ends the instance once the answer is out.
asio::awaitable<Outcomes> shut_down(Instance* instance);

// Replaces keeper and manager. That it was done is the new manager's answer; this one can only tell why it was not.
asio::awaitable<Result<UpgradeReply>> upgrade_instance(Instance* instance, UpgradeRequest request);

JobView view_of(Instance& instance, const Job& job);
// The job of that name. Other selectors are refused, with one of those they match.
Result<std::shared_ptr<Job>> one_job(Instance& instance, const std::string& name);
Result<JobsReply> list_jobs(Instance& instance, const std::vector<std::string>& selectors);
Result<ConfView> show_conf(Instance& instance, const std::string& name);
Result<ConfView> change_conf(Instance& instance, const std::string& name, const ConfChange& change);
Result<SaveReply> save_jobs(Instance& instance, const std::vector<std::string>& selectors);
VarsView vars(Instance& instance);

// Conf, environment and work directory go, the log moves to logs/old/.
Status forget_job(Instance& instance, const std::shared_ptr<Job>& job);
// Journals that the job is wanted or not (`anew`: a run that begins from now on), by the request with this key. On
// failure nothing has changed.
enum class Wanted { no, yes, anew };
Status set_wanted(Instance& instance, const std::string& job, Wanted wanted, const std::string& key);
// Writes a new job's files and begins its life, where it is wanted; its name is reserved in the journal before.
Status create_job(Instance& instance, const Conf& conf, const std::vector<std::string>& env, const std::string& key,
                  WindowSize window = {}, Wanted wanted = Wanted::yes);
// What is said to whoever would have something begun then.
inline constexpr auto being_shut_down = "the instance is being shut down";
// A job that the request has found and that is gone by now, or is not to be begun any more.
Error not_made(const Instance& instance);
Outcome creation_failed(const std::string& name, const Error& error);
// The jobs that a request with this key has made before its answer was lost, in natural order.
std::vector<std::string> made_before(const Instance& instance, const std::string& key);
bool acted_on(const Instance& instance, const std::string& key, const std::string& job);

// A job that has been told to start, and which of its runs is waited for.
struct Begun {
  std::shared_ptr<Job> job;
  std::int64_t runs_before = 0;
};
// Waits until each has outlived its settle time or has failed.
asio::awaitable<std::vector<Outcome>> settle(Instance* instance, std::vector<Begun> begun);

}  // namespace usvc
