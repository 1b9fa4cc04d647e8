// What clients ask of the manager and what it answers. A mutating request carries an idempotency key (any text of at
// most 64 characters, new for each request): asking again with the same key, after a lost answer, does nothing twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shapes/json.h"
#include "shapes/views.h"

namespace usvc {

struct EntryView {  // one line of a conf, key without "core."
  std::string key;
  std::string value;
};
BOOST_DESCRIBE_STRUCT(EntryView, (), (key, value))

// POST /v1/jobs -> OutcomesReply, when each copy runs (outlived its settle time) or has failed.
// `input`: the program's stdin came with the request, as a descriptor (SCM_RIGHTS, unix(7)) beside its first byte,
// which is the connection's first too. For one copy that has no terminal.
struct StartRequest {
  std::string key;
  std::int64_t copies = 1;
  std::optional<std::string> group;  // default: from the command's base name
  std::optional<std::string> name;   // copies must be 1
  std::vector<EntryView> entries;    // the conf: cmd (absolute), arg…, cwd, options that were given
  std::vector<std::string> env;      // "K=V"; after an empty one come those that were asked for, which save keeps
  std::optional<std::int64_t> rows;  // of the window it is going to be looked at in
  std::optional<std::int64_t> columns;
  std::optional<bool> input;
};
BOOST_DESCRIBE_STRUCT(StartRequest, (), (key, copies, group, name, entries, env, rows, columns, input))

// POST /v1/{start,stop,restart,clean,rotate,signal} -> OutcomesReply; 404 with an ErrorReply when no job matches.
struct SelectRequest {
  std::string key;
  std::vector<std::string> selectors;
  std::optional<std::string> signal;  // signal: "HUP"
  std::optional<bool> whole_group;    // signal: to the main process's whole process group, as a terminal's Ctrl-C
  std::optional<bool> rolling;        // restart
};
BOOST_DESCRIBE_STRUCT(SelectRequest, (), (key, selectors, signal, whole_group, rolling))

struct Outcome {
  std::string name;
  bool ok = true;
  bool skipped = false;  // nothing was done, and that is no failure
  // One line for a person, empty when there is nothing to say; where it is ok: how it went ("had to be killed").
  std::string message;
  std::optional<std::string> hint;
  std::optional<std::int64_t> pid;
  std::optional<std::string> run_id;
  std::optional<std::int64_t> log_offset;        // start: where the run begins, as a position (log/index.h)
  std::optional<std::int64_t> error_log_offset;  // start: the same in the log of its stderr, where that is kept apart
  std::optional<std::string> last_output;        // start: the crash's last lines
  std::optional<std::string> log;
  std::optional<std::string> error_log;  // start: of a job that was cleaned already; else it follows from `log`
};
BOOST_DESCRIBE_STRUCT(Outcome, (),
                      (name, ok, skipped, message, hint, pid, run_id, log_offset, error_log_offset, last_output, log,
                       error_log))

struct OutcomesReply {
  std::vector<Outcome> results;
};
BOOST_DESCRIBE_STRUCT(OutcomesReply, (), (results))

// POST /v1/wait -> WaitReply, when every matching job got there or the time is up.
struct WaitRequest {
  std::vector<std::string> selectors;
  std::string condition = "stopped";      // running ready stopped exit
  std::optional<double> timeout_seconds;  // none: for ever
  std::optional<std::string> run_id;      // exit: of this run; none: of the run that is live now, else the last
};
BOOST_DESCRIBE_STRUCT(WaitRequest, (), (selectors, condition, timeout_seconds, run_id))

struct WaitResult {
  std::string name;
  bool reached = false;
  std::string state;
  std::optional<ExitView> exit;
  std::optional<bool> output_waits;  // of the run asked for: some is not in the log yet, which can't be written
  std::optional<std::string> log;    // of a job that was cleaned meanwhile: where it is now
  std::optional<std::string> error_log;
};
BOOST_DESCRIBE_STRUCT(WaitResult, (), (name, reached, state, exit, output_waits, log, error_log))

struct WaitReply {
  std::vector<WaitResult> results;
  bool timed_out = false;
};
BOOST_DESCRIBE_STRUCT(WaitReply, (), (results, timed_out))

// GET /v1/conf/NAME -> ConfView; PUT /v1/conf/NAME with a ConfChange.
struct ConfView {
  std::string name;
  std::string path;
  std::vector<EntryView> entries;
};
BOOST_DESCRIBE_STRUCT(ConfView, (), (name, path, entries))

struct ConfChange {
  std::string key;
  std::string entry;  // the conf key
  std::string value;
};
BOOST_DESCRIBE_STRUCT(ConfChange, (), (key, entry, value))

// GET /v1/save?select=… -> SaveReply; POST /v1/load with a LoadRequest -> OutcomesReply.
struct SaveReply {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(SaveReply, (), (text))

struct LoadRequest {
  std::string key;
  std::string text;
  std::string cwd;                                 // for jobs that name none
  std::vector<std::string> env;                    // theirs from now on
  std::optional<std::string> file;                 // what errors call it
  std::optional<std::vector<EntryView>> defaults;  // of the conf, where the file says nothing: umask, nice, limit
};
BOOST_DESCRIBE_STRUCT(LoadRequest, (), (key, text, cwd, env, file, defaults))

// POST /v1/shutdown -> OutcomesReply, when the jobs are gone; the instance ends right after it.
struct PlainRequest {
  std::string key;
};
BOOST_DESCRIBE_STRUCT(PlainRequest, (), (key))

// POST /v1/upgrade -> UpgradeReply, when the new manager has proved that it works; a failure when it has not, and then
// the old one runs again.
struct UpgradeRequest {
  std::string key;
  std::string directory;  // where the new usvc-keeper and usvc-manager are
};
BOOST_DESCRIBE_STRUCT(UpgradeRequest, (), (key, directory))

struct UpgradeReply {
  std::string manager_from;  // versions
  std::string manager_to;
  std::string keeper_from;
  std::string keeper_to;
};
BOOST_DESCRIBE_STRUCT(UpgradeReply, (), (manager_from, manager_to, keeper_from, keeper_to))

// Any failure: HTTP status 400 (usage), 404 (no match), 500.
struct ErrorView {
  std::string message;
  std::string hint;
  std::string kind;  // failure usage no-match unreachable
};
BOOST_DESCRIBE_STRUCT(ErrorView, (), (message, hint, kind))

struct ErrorReply {
  ErrorView error;
};
BOOST_DESCRIBE_STRUCT(ErrorReply, (), (error))

ErrorReply error_reply(const Error& error);
Error error_from(const ErrorReply& reply);

}  // namespace usvc
