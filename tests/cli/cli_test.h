// The fixture of the tests that look at usvc from outside: an instance of its own under a throw-away directory, which
// must be gone, with every process that had to do with it, when the test is over.
//
// The program comes from USVC_TEST_BIN, the probe from USVC_PROBE (see tests/probe/probe.cpp for what it can do). The
// probe is copied into the test's directory, so that a process can be told by its executable even when it has cleared
// its environment and closed every file.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/census.h"
#include "cli/process.h"

namespace usvc::test {

namespace json = boost::json;
using Args = std::vector<std::string>;
using testing::Test;

// A JOB of `--json status`.
struct Job {
  json::object raw;
  std::string name, group, state, run_id, log;
  pid_t pid = 0;  // 0: none
  std::vector<std::string> cmd;
  std::int64_t deaths = -1;
  std::int64_t runs = -1;
  bool wanted = false;
  bool tty = false;
  std::optional<std::int64_t> exit_code;   // of last_exit
  std::optional<std::string> exit_signal;  // of last_exit
};
std::ostream& operator<<(std::ostream& stream, const Job& job);

// Ends the whole program, and every process of the test, when a test takes so long that its runner would kill it: then
// nobody would be there to clean up.
class Watchdog {
 public:
  explicit Watchdog(std::string directory);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  Watchdog(Watchdog&&) = delete;
  Watchdog& operator=(Watchdog&&) = delete;

 private:
  void watch();

  std::string directory_;
  std::mutex mutex_;
  std::condition_variable change_;
  bool over_ = false;
  std::thread thread_;
};

constexpr uid_t nobody = 65534;

class CliTest : public Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Everything from here on, the instance included, is done as this user. For the beginning of a test.
  void be_user(uid_t user);

  // Another installed usvc from here on. For the beginning of a test.
  void use_program(std::string program) { program_ = std::move(program); }
  [[nodiscard]] const std::string& program() const { return program_; }

  // usvc ARGS…; whatever status it ends with.
  Output run(const Args& args, const RunOptions& options = {});
  // The same and expects status 0.
  Output ok(const Args& args, const RunOptions& options = {});
  // A line of bash in which `usvc` is the program under test; the second is the command of it.
  Output shell(const std::string& line, const RunOptions& options = {});
  [[nodiscard]] Args shell_line(const std::string& line) const;
  // The same and expects this status, a complaint "usvc: …" on stderr and, where nothing was done, nothing on stdout.
  Output fails(int status, const Args& args, const RunOptions& options = {});
  Output start(const Args& args, const RunOptions& options = {});
  Output stop(const Args& args) { return ok(with("stop", args)); }
  // `usvc --json ARGS`: the document on stdout; null when it is none, and then the test fails.
  json::value json(const Args& args, const RunOptions& options = {});
  std::vector<json::object> json_lines(const Args& args);
  // A client that goes on while the test does something else.
  std::unique_ptr<Child> launch(const Args& args, const RunOptions& options = {});
  // Other programs, in the same surroundings.
  Output run_program(const Args& argv, const RunOptions& options = {});
  std::unique_ptr<Child> launch_program(const Args& argv, const RunOptions& options = {});

  Job status(const std::string& name);  // an empty name when there is no such job
  std::vector<Job> jobs(const Args& selectors = {});
  std::vector<std::string> names(const Args& selectors);  // as `usvc jobs` tells them
  pid_t pid_of(const std::string& name) { return status(name).pid; }
  bool wait_state(const std::string& name, const std::string& state, milliseconds deadline = 10s);
  // Waits for a run other than that of `before` to be running; its pid, or 0.
  pid_t wait_new_pid(const std::string& name, pid_t before, milliseconds deadline = 10s);
  std::vector<json::object> events(const Args& selectors = {});
  // Those of one kind.
  std::vector<json::object> events_of(const std::string& job, const std::string& event);
  std::string journal_names(const std::string& job);  // "starting running exited …"
  json::object vars();
  pid_t manager_pid();
  pid_t keeper_pid();

  // What the job wrote, read from the log file itself.
  std::string log_text(const std::string& name) const;
  bool wait_log(const std::string& name, const std::string& text, milliseconds deadline = 10s) const;
  // The number after `word ` in the job's log, once it is there: "daemon 42".
  pid_t logged_pid(const std::string& name, const std::string& word, milliseconds deadline = 10s) const;

  [[nodiscard]] std::string home() const { return home_; }
  [[nodiscard]] std::string directory() const { return directory_; }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
  [[nodiscard]] std::string conf_path(const std::string& name) const { return home_ + "/jobs/" + name + ".conf"; }
  [[nodiscard]] std::string probe() const { return path("probe"); }
  [[nodiscard]] std::map<std::string, std::string>& environment() { return environment_; }
  // For programs in a terminal that ends before them: its SIGCONT takes away the SIGSTOP with which the leak sanitizer
  // stops a program that exits, and both wait for ever.
  void without_leak_sanitizer() { environment_["ASAN_OPTIONS"] += ":detect_leaks=0"; }
  // A file in the test's directory, made by and for the user the test runs as.
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0644);
  static std::string read(const std::string& path);
  static bool exists(const std::string& path);
  static Args with(const std::string& first, const Args& rest);

  // SIGKILL, and gone or a zombie when it returns.
  void kill_hard(pid_t pid);
  // A process of this test stopped by SIGSTOP: in state T when it returns.
  void freeze(pid_t pid);
  void thaw(pid_t pid);
  // Processes made by jobs: all of this test's but usvc's own.
  std::vector<Process> job_processes() const;
  std::vector<Process> own_processes() const;  // manager and keeper
  void expect_gone(pid_t pid, const std::string& what);

 private:
  void check_left_over();
  void dump() const;

  std::string directory_;
  std::string home_;
  std::string program_;
  std::map<std::string, std::string> environment_;
  std::optional<uid_t> user_;
  std::unique_ptr<Watchdog> watchdog_;
};

std::string text_of(const json::object& object, const char* key);              // "" when absent or null
std::optional<double> number_of(const json::object& object, const char* key);  // nothing when absent or null
std::vector<std::string> lines_of(const std::string& text);
bool contains(const std::string& text, const std::string& part);
std::size_t count_of(const std::string& text, const std::string& part);
// Text without colours and other escape sequences.
std::string without_escapes(const std::string& text);

}  // namespace usvc::test
