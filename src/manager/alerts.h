// Telling people of deaths: by mail, by a POST of JSON, or by a command. Each is sent by a child process with a time
// limit, so that nothing it does can hold the manager up; between two of a job there is a pause, and the next has a
// count of those held back.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "manager/asio.h"
#include "shapes/json.h"

namespace usvc {

struct AlertFacts {
  std::string job;
  std::string group;
  std::string host;
  std::string run_id;
  std::string text;  // "exit 1 after 0.2 s"
  std::optional<std::int64_t> code;
  std::optional<std::string> signal;
  bool core = false;
  double ran = 0;
  double at = 0;
  std::int64_t deaths = 0;
  std::int64_t held_back = 0;  // alerts of this job not sent since the last one
  std::string last_lines;
};
BOOST_DESCRIBE_STRUCT(AlertFacts, (),
                      (job, group, host, run_id, text, code, signal, core, ran, at, deaths, held_back, last_lines))

class Alerts {
 public:
  // `told` hears how each attempt went: who, and the failure or nothing.
  using Told = std::function<void(const std::string& job, const std::string& who, const Status& status)>;
  Alerts(asio::io_context& io, Told told) : io_(io), told_(std::move(told)) {}

  // Commands are run in `cwd`. `pause`: the least time since the last one of this job.
  void send(const std::vector<std::string>& recipients, AlertFacts facts, const std::string& cwd, Duration pause);
  // The job is no more: one of its name is another.
  void forget(const std::string& job) { last_.erase(job); }
  // Ends those that are still being sent.
  void stop();

 private:
  struct Sent {
    double at = 0;
    std::int64_t held_back = 0;
  };
  asio::awaitable<void> deliver(std::string who, AlertFacts facts, std::string cwd);

  asio::io_context& io_;
  Told told_;
  std::map<std::string, Sent> last_;  // by job
  std::set<pid_t> sending_;           // not reaped yet, each leading a session of its own
};

// The program that tells `who`, and what it gets on its standard input. Pure.
struct AlertProgram {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string input;
  std::string config;  // for descriptor 3: what must not stand on a command line, where everybody reads it
};
AlertProgram alert_program(const std::string& who, const AlertFacts& facts);
// The recipient as it may be shown: a URL without user, password and query, of a command the first word.
std::string without_secrets(const std::string& who);

}  // namespace usvc
