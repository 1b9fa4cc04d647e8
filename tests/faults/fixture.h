// The fixture of the tests that kill usvc's processes: jobs that stand by and must not notice, fault points
// (base/fault_point.h), and what is looked at when it is over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cli_test.h"
#include "faults/ledger.h"

namespace usvc::test {

class FaultTest : public CliTest {
 protected:
  void SetUp() override;

  // A numbering job "NAME": notes its beginning, writes a line every few milliseconds.
  [[nodiscard]] Args numbering(const std::string& name, int pause_ms = 5) const;
  // One with a terminal, one with a pipe, and one that writes to a stderr that is kept apart; stand_by() makes them,
  // the checks look at them.
  void stand_by();

  // The next process that comes to the point stops there, after so many passes.
  void arm(std::string_view point, std::size_t passes = 0);
  void disarm(std::string_view point);
  // The process that has stopped at the point; 0, and a failure, when none did in time.
  pid_t stopped_at(std::string_view point, milliseconds deadline = 15s);

  // The one process that is the manager or the keeper right now; 0: none.
  pid_t manager_process() const { return own_process("usvc-manager"); }
  pid_t keeper_process() const { return own_process("usvc-keeper"); }
  // Keeper, manager and what they are just making, all at once.
  void kill_all_own(const std::vector<pid_t>& spared = {});

  // What is true after any single kill: the same processes, no second copy, every end told once.
  struct Expected {
    bool both = false;         // keeper and manager died at once: jobs are cut off and started anew
    bool partly = false;       // of both: some jobs were handed over before
    bool keeper_died = false;  // then CPU time isn't known, and the status only to Linux 6.15
    std::vector<std::string> ends = {};
  };
  void check_bystanders(const Expected& expected);
  void check_job(const std::string& name, const Expected& expected);
  // Stops everything and holds logs and journal against the ledger.
  void check_in_the_end(const std::vector<std::string>& jobs, const Expected& expected);

  [[nodiscard]] std::size_t bystander_count() const { return bystanders_.size(); }
  // How often the journal's files tell of an event.
  [[nodiscard]] std::size_t journaled(const std::string& event) const;

  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  // What was written to the log NAME.log, over all of its files: a job's name, or NAME.err for its stderr.
  [[nodiscard]] std::string whole_log(const std::string& log) const;
  // The files of the log NAME.log, the oldest first.
  [[nodiscard]] std::vector<std::string> log_parts(const std::string& name) const;
  // Nothing: it can't be read.
  [[nodiscard]] static std::optional<std::string> zstdcat(const std::string& path);

 private:
  [[nodiscard]] pid_t own_process(std::string_view program) const;

  Ledger ledger_{""};
  struct StandingBy {
    std::string name;
    std::string log;
    pid_t pid;
  };
  std::vector<StandingBy> bystanders_;
};

// Whether the kernel tells how a process that is nobody's child here has ended (PIDFD_GET_INFO, Linux 6.15).
bool kernel_tells_ends();

}  // namespace usvc::test
