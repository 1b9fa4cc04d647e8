// A job's life: one coroutine that reads top to bottom. What an event means in a state is job/step's answer; here is
// the sequence, and the only place where a job's state changes. Nothing that must survive a kill of the manager lives
// only here: each step is in the journal before it is relied on, and adoption (job/adopt) enters the same loop where
// the journal says.
#pragma once

#include <memory>
#include <optional>

#include "job/adopt.h"
#include "manager/instance.h"
#include "manager/job.h"

namespace usvc {

class Life {
 public:
  // Both outlive it.
  Life(Instance* instance, Job* job) : instance_(*instance), job_(*job) {}

  // Until the job is removed.
  asio::awaitable<void> live(std::shared_ptr<Job> keep_alive);

 private:
  using Clock = Wakeup::Clock;

  // The steps of the loop, in order.
  enum class Stage { rest, pre_run, program, attend, bury, epilogue, decide };

  asio::awaitable<Stage> take_up(Resume resume);
  asio::awaitable<Stage> follow();
  asio::awaitable<Stage> follow_launch();
  asio::awaitable<void> record_lost();
  [[nodiscard]] bool was_not_let_go() const;
  void forget_spawned();
  void settle_down();
  void end_unwanted();

  asio::awaitable<void> rest();
  asio::awaitable<void> pre_run();
  asio::awaitable<void> program();
  asio::awaitable<void> attend();
  asio::awaitable<void> bury();
  asio::awaitable<void> bury_run();
  asio::awaitable<void> epilogue();
  void decide();

  asio::awaitable<bool> start_process(Phase phase);
  asio::awaitable<bool> give_up_launch(std::string why);
  asio::awaitable<void> drain();
  asio::awaitable<JobEvent> next_event();
  Step advance(JobEvent event);
  void enter(JobState state);
  void send_stop();
  void send_kill();
  [[nodiscard]] Clock::time_point stop_deadline() const;
  [[nodiscard]] const std::string& program_of_run() const;
  void note_binary();
  void note_missed_binary();

  [[nodiscard]] std::shared_ptr<Job> self() const { return instance_.find(job_.name); }
  [[nodiscard]] const Conf& conf() const { return job_.conf_or_defaults(); }
  [[nodiscard]] JobRecord& record() const { return instance_.record_of(job_); }
  [[nodiscard]] std::int64_t begin_of_run(const std::string& log) const;
  [[nodiscard]] Event event(std::string_view name) const;
  Event exit_event();

  Instance& instance_;
  Job& job_;
  Clock::time_point deadline_ = Wakeup::never;
  bool launched_before_ = false;  // by an earlier manager, which had not noted that it runs
  double entered_at_ = 0;         // the wall clock as the state was entered; 0: by an earlier manager
  Duration pause_{};              // before the next run, when it is `waiting` for it
  bool never_began_ = false;      // the run that is being buried came to nothing: why is in failure_
  std::string failure_;
  std::unique_ptr<const Event> ended_;  // the end that people have yet to be told of
};

}  // namespace usvc
