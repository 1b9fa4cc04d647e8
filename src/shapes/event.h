// One line of the journal, which is also one line of `usvc --json events`.
//
// Events a person sees: starting pre-run running exited post-run waiting stopping stopped cleaned alert
// manager-started keeper-started upgraded adopted error. Besides, it holds records for the fold alone (is_record):
//   wanted      the wanted state of a job changed, by the request with idempotency key `key`
//   hook-passed the pre-run hook ended well: the program is next
//   spawned     a process exists for the run but has not been let go: its identity, so that it can be found again;
//               without a pid: it has ended so
//   request     a request with idempotency key `key` was acted on for this job (what a retry must not do twice)
//   upgrade     begun, by the request with idempotency key `key`, from these versions; or, with `code`, over: 0 when
//               these versions run now, 1 when the old ones run again
//   hashed      the md5 of the binary that was started
//   checkpoint  one job's whole folded state; checkpoint-end closes the set
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shapes/json.h"

namespace usvc {

struct Event {
  double t = 0;  // wall clock, seconds since 1970
  std::optional<std::string> job;
  std::optional<std::string> run_id;
  std::string event;

  std::optional<std::int64_t> pid;
  std::optional<std::int64_t> code;   // exited: exit code, or
  std::optional<std::string> signal;  // the name of the signal that killed it ("KILL"); neither: unknown
  std::optional<bool> core;           // it dumped core
  std::optional<bool> oom;            // the kernel ended it for want of memory
  std::optional<double> ran;          // seconds
  std::optional<double> cpu;          // user + system seconds, children it waited for included
  std::optional<std::int64_t> max_rss_bytes;
  std::optional<bool> asked;                     // exited because usvc was asked to stop it
  std::optional<bool> forced;                    // asked, and the stop signal had not been enough: it took SIGKILL
  std::optional<std::string> message;            // for people: why, what
  std::optional<double> until;                   // waiting: when it is tried again
  std::optional<bool> wanted;                    // wanted
  std::optional<bool> anew;                      // wanted: a run that begins after this, whatever the policy says
  std::optional<std::string> key;                // wanted: the request's idempotency key
  std::optional<std::int64_t> log_offset;        // starting: where in the log this run begins, as a position
  std::optional<std::int64_t> error_log_offset;  // the same in the log of its stderr, where that is kept apart
  std::optional<std::int64_t> start_ticks;       // spawned: field 22 of /proc/PID/stat
  std::optional<std::string> boot_id;            // spawned
  std::optional<std::string> md5;                // hashed
  std::optional<std::string> binary;             // hashed: path
  std::optional<std::int64_t> binary_dev;        // hashed: which file it was
  std::optional<std::int64_t> binary_inode;
  std::optional<std::int64_t> binary_size;
  std::optional<std::int64_t> binary_mtime_ns;
  std::optional<std::string> manager_version;  // upgrade
  std::optional<std::string> keeper_version;
  std::optional<json::value> state;  // checkpoint: a JobRecord
};
BOOST_DESCRIBE_STRUCT(Event, (),
                      (t, job, run_id, event, pid, code, signal, core, oom, ran, cpu, max_rss_bytes, asked, forced,
                       message, until, wanted, anew, key, log_offset, error_log_offset, start_ticks, boot_id, md5,
                       binary, binary_dev, binary_inode, binary_size, binary_mtime_ns, manager_version, keeper_version,
                       state))

// An `exited` of the pre-run hook: the program has not been started, and `message` says so.
inline bool of_pre_hook(const Event& exited) {
  return exited.message && (exited.code || exited.signal);
}

// True for the lines that only the fold needs; `events` does not show them.
bool is_record(const Event& event);

std::string event_line(const Event& event);  // without the newline
Result<Event> parse_event(std::string_view line);

}  // namespace usvc
