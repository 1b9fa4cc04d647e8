// What the journal knows of one job: its lines folded. Also what a checkpoint holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/boxed_optional.h"
#include "shapes/json.h"
#include "shapes/views.h"

namespace usvc {

struct JobRecord {
  std::string name;
  bool wanted = false;
  bool anew = false;              // another run is to begin when this one is over, whatever the policy says
  std::string state = "stopped";  // as last journaled: where the next manager enters the job's loop
  std::int64_t runs = 0;          // how many were begun; also the number of the last one
  std::int64_t deaths = 0;
  std::int64_t deaths_in_a_row = 0;
  std::optional<double> first_death_in_row_at;
  std::int64_t young_ends = 0;  // runs in a row that ended young: what the backoff goes by
  std::optional<std::string> run_id;
  std::optional<double> started_at;  // of the last run
  std::optional<std::int64_t> log_offset;
  std::optional<std::int64_t> error_log_offset;  // where its stderr is kept apart
  bool hook_passed = false;                      // the last run's pre-run hook ended well
  bool exit_recorded = true;                     // of the last run
  std::optional<double> stopping_at;             // when the stop of the last run began
  std::optional<double> waiting_until;
  BoxedOptional<ExitView> last_exit;
  // Identity of the process last spawned for this run (hook or main): pid alone is never trusted.
  std::optional<std::int64_t> pid;
  std::optional<std::int64_t> start_ticks;
  std::optional<std::string> boot_id;
  std::optional<std::string> md5;
  std::optional<BinaryView> binary;
};
BOOST_DESCRIBE_STRUCT(JobRecord, (),
                      (name, wanted, anew, state, runs, deaths, deaths_in_a_row, first_death_in_row_at, young_ends,
                       run_id, started_at, log_offset, error_log_offset, hook_passed, exit_recorded, stopping_at,
                       waiting_until, last_exit, pid, start_ticks, boot_id, md5, binary))

}  // namespace usvc
