#include "cli/cli_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

namespace usvc::test {

namespace fs = std::filesystem;

namespace {

// Less than the runner's patience (tests/CMakeLists.txt).
#ifdef USVC_SANITIZED
constexpr auto longest_test = 280s;
constexpr auto settle_down = 30s;  // the leak sanitizer looks through each of them at its end
#else
constexpr auto longest_test = 55s;
constexpr auto settle_down = 5s;  // how long processes may take to disappear after everything was stopped
#endif

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string tail(const std::string& path, std::size_t bytes = 4000) {
  std::string text = content(path);
  if (text.size() > bytes) text.erase(0, text.size() - bytes);
  return text;
}

void kill_processes_of(const std::string& directory) {
  // Again and again: a keeper that is killed last may have been replaced meanwhile.
  wait_until(5s, [&] {
    const auto left = processes_of(directory);
    for (const auto& process : left) ::kill(process.pid, SIGKILL);
    return left.empty();
  });
}

bool is_own(const Process& process) {
  const std::string name = fs::path(process.executable).filename();
  return name.starts_with("usvc");
}

Job job_from(const json::object& raw) {
  Job job;
  job.raw = raw;
  job.name = text_of(raw, "name");
  job.group = text_of(raw, "group");
  job.state = text_of(raw, "state");
  job.run_id = text_of(raw, "run_id");
  job.log = text_of(raw, "log");
  job.pid = static_cast<pid_t>(number_of(raw, "pid").value_or(0));
  job.deaths = static_cast<std::int64_t>(number_of(raw, "deaths").value_or(-1));
  job.runs = static_cast<std::int64_t>(number_of(raw, "runs").value_or(-1));
  if (const auto* cmd = raw.if_contains("cmd"); cmd != nullptr && cmd->is_array()) {
    for (const auto& word : cmd->get_array()) job.cmd.emplace_back(word.as_string());
  }
  const auto truth = [&](const char* key) {
    const auto* value = raw.if_contains(key);
    return value != nullptr && value->is_bool() && value->get_bool();
  };
  job.wanted = truth("wanted");
  job.tty = truth("tty");
  if (const auto* exit = raw.if_contains("last_exit"); exit != nullptr && exit->is_object()) {
    if (const auto code = number_of(exit->get_object(), "code")) job.exit_code = static_cast<std::int64_t>(*code);
    if (auto signal = text_of(exit->get_object(), "signal"); !signal.empty()) job.exit_signal = std::move(signal);
  }
  return job;
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Job& job) {
  return stream << json::serialize(job.raw);
}

Watchdog::Watchdog(std::string directory) : directory_(std::move(directory)), thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  change_.notify_all();
  thread_.join();
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  if (change_.wait_for(lock, longest_test, [this] { return over_; })) return;
  std::cerr << "the test is not over after " << longest_test.count() << " s; kept: " << directory_ << "\n"
            << list(processes_of(directory_));
  kill_processes_of(directory_);
  _exit(1);
}

void CliTest::SetUp() {
  program_ = from_environment("USVC_TEST_BIN");
  const std::string probe_binary = from_environment("USVC_PROBE");
  if (program_.empty() || probe_binary.empty()) FAIL() << "USVC_TEST_BIN and USVC_PROBE must name the programs";
  std::string pattern = "/tmp/ut-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) FAIL() << "mkdtemp";
  directory_ = pattern;
  watchdog_ = std::make_unique<Watchdog>(directory_);
  home_ = path("h");
  fs::copy_file(probe_binary, probe());
  environment_ = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                  {"LANG", "C.UTF-8"},
                  {"TERM", "xterm-256color"},
                  {"HOME", directory_},
                  {"USVC_HOME", home_}};
  for (const char* name : {"USVC_ALLOW_ROOT", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TZ"}) {
    if (auto value = from_environment(name); !value.empty()) environment_[name] = value;
  }
  if (geteuid() == 0) environment_["USVC_ALLOW_ROOT"] = "1";
}

void CliTest::TearDown() {
  if (directory_.empty()) return;
  if (!own_processes().empty() || exists(home_ + "/jobs")) {
    const Output output = run({"shutdown"}, {.deadline = 20s});
    if (!own_processes().empty() && output.status != 0) ADD_FAILURE() << "shutdown failed: " << output;
  }
  check_left_over();
  if (HasFailure()) {
    dump();
  } else {
    std::error_code error;
    fs::remove_all(directory_, error);
    EXPECT_FALSE(error) << directory_ << ": " << error.message();
  }
}

void CliTest::check_left_over() {
  std::vector<Process> left;
  wait_until(settle_down, [&] {
    left = processes_of(directory_);
    return left.empty();
  });
  if (left.empty()) return;
  ADD_FAILURE() << "processes are left over:\n" << list(left);
  kill_processes_of(directory_);
}

void CliTest::dump() const {
  std::cerr << "kept: " << directory_ << "\n";
  std::error_code error;
  for (fs::recursive_directory_iterator it(home_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path();
    const bool wanted = contains(name, "/journal/") || name.ends_with(".log");
    if (wanted && it->is_regular_file(error)) std::cerr << "---- end of " << name << "\n" << tail(name) << "\n";
  }
}

void CliTest::be_user(uid_t user) {
  user_ = user;
  environment_.erase("USVC_ALLOW_ROOT");
  if (chown(directory_.c_str(), user, user) < 0) ADD_FAILURE() << "chown";
}

Args CliTest::with(const std::string& first, const Args& rest) {
  Args all{first};
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

namespace {

std::map<std::string, std::string> changed(std::map<std::string, std::string> environment, const RunOptions& options) {
  for (const auto& [key, value] : options.env) {
    if (value) {
      environment[key] = *value;
    } else {
      environment.erase(key);
    }
  }
  return environment;
}

}  // namespace

std::unique_ptr<Child> CliTest::launch_program(const Args& argv, const RunOptions& options) {
  RunOptions complete = options;
  if (complete.cwd.empty()) complete.cwd = directory_;
  return std::make_unique<Child>(argv, changed(environment_, options), complete, user_);
}

Output CliTest::run_program(const Args& argv, const RunOptions& options) {
  return launch_program(argv, options)->finish(options.deadline);
}

std::unique_ptr<Child> CliTest::launch(const Args& args, const RunOptions& options) {
  return launch_program(with(program_, args), options);
}

Output CliTest::run(const Args& args, const RunOptions& options) {
  return run_program(with(program_, args), options);
}

namespace {

std::string joined(const Args& args) {
  std::string text = "usvc";
  for (const auto& word : args) text += " '" + word + "'";
  return text;
}

}  // namespace

Output CliTest::shell(const std::string& line, const RunOptions& options) {
  return run_program(shell_line(line), options);
}

Args CliTest::shell_line(const std::string& line) const {
  // By PATH: a function would be a process of the shell's that holds the pipes open.
  const std::string& usvc = program();
  return {"/bin/bash", "-c", "PATH='" + usvc.substr(0, usvc.rfind('/')) + "':$PATH\n" + line};
}

Output CliTest::ok(const Args& args, const RunOptions& options) {
  Output output = run(args, options);
  EXPECT_EQ(output.status, 0) << joined(args) << "\n" << output;
  return output;
}

Output CliTest::fails(int status, const Args& args, const RunOptions& options) {
  Output output = run(args, options);
  EXPECT_EQ(output.status, status) << joined(args) << "\n" << output;
  EXPECT_TRUE(output.err.starts_with("usvc: ")) << joined(args) << "\n" << output;
  EXPECT_TRUE(output.err.ends_with('\n')) << joined(args) << "\n" << output;
  if (status > 1) {
    EXPECT_EQ(output.out, "") << joined(args) << "\n" << output;
  }
  return output;
}

Output CliTest::start(const Args& args, const RunOptions& options) {
  return ok(with("start", args), options);
}

json::value CliTest::json(const Args& args, const RunOptions& options) {
  const Output output = ok(with("--json", args), options);
  boost::system::error_code error;
  auto value = json::parse(output.out, error);
  EXPECT_FALSE(error) << joined(args) << ": not one JSON document: " << error.message() << "\n" << output;
  return error ? json::value() : value;
}

std::vector<json::object> CliTest::json_lines(const Args& args) {
  const Output output = ok(with("--json", args));
  std::vector<json::object> objects;
  for (const auto& line : lines_of(output.out)) {
    boost::system::error_code error;
    auto value = json::parse(line, error);
    if (error || !value.is_object()) {
      ADD_FAILURE() << joined(args) << ": not a JSON object: " << line;
      continue;
    }
    objects.push_back(value.get_object());
  }
  return objects;
}

std::vector<Job> CliTest::jobs(const Args& selectors) {
  const auto document = json(with("status", selectors));
  std::vector<Job> result;
  const auto* object = document.if_object();
  const auto* list = object == nullptr ? nullptr : object->if_contains("jobs");
  if (list == nullptr || !list->is_array()) {
    ADD_FAILURE() << "no jobs in " << json::serialize(document);
    return result;
  }
  for (const auto& job : list->get_array()) result.push_back(job_from(job.as_object()));
  return result;
}

Job CliTest::status(const std::string& name) {
  for (auto& job : jobs()) {
    if (job.name == name) return job;
  }
  return {};
}

std::vector<std::string> CliTest::names(const Args& selectors) {
  return lines_of(ok(with("jobs", selectors)).out);
}

bool CliTest::wait_state(const std::string& name, const std::string& state, milliseconds deadline) {
  Job seen;
  const bool reached = wait_until(deadline, [&] { return (seen = status(name)).state == state; });
  EXPECT_TRUE(reached) << name << " is not " << state << " but " << seen;
  return reached;
}

pid_t CliTest::wait_new_pid(const std::string& name, pid_t before, milliseconds deadline) {
  Job seen;
  const bool reached = wait_until(deadline, [&] {
    seen = status(name);
    return seen.state == "running" && seen.pid > 0 && seen.pid != before;
  });
  EXPECT_TRUE(reached) << name << " did not come back: " << seen;
  return reached ? seen.pid : 0;
}

std::vector<json::object> CliTest::events(const Args& selectors) {
  return json_lines(with("events", selectors));
}

std::vector<json::object> CliTest::events_of(const std::string& job, const std::string& event) {
  std::vector<json::object> result;
  for (auto& line : events()) {
    if (text_of(line, "event") == event && (job.empty() || text_of(line, "job") == job)) result.push_back(line);
  }
  return result;
}

std::string CliTest::journal_names(const std::string& job) {
  std::string text;
  for (const auto& line : events({job})) text += (text.empty() ? "" : " ") + text_of(line, "event");
  return text;
}

json::object CliTest::vars() {
  const auto document = json({"vars"});
  return document.is_object() ? document.get_object() : json::object();
}

pid_t CliTest::manager_pid() {
  return static_cast<pid_t>(number_of(vars(), "manager_pid").value_or(0));
}

pid_t CliTest::keeper_pid() {
  return static_cast<pid_t>(number_of(vars(), "keeper_pid").value_or(0));
}

std::string CliTest::log_text(const std::string& name) const {
  return read(home_ + "/logs/" + name + ".log");
}

bool CliTest::wait_log(const std::string& name, const std::string& text, milliseconds deadline) const {
  const bool found = wait_until(deadline, [&] { return contains(log_text(name), text); });
  EXPECT_TRUE(found) << "not in the log of " << name << ": " << text << "\nlog:\n" << log_text(name);
  return found;
}

pid_t CliTest::logged_pid(const std::string& name, const std::string& word, milliseconds deadline) const {
  pid_t pid = 0;
  wait_until(deadline, [&] {
    for (const auto& line : lines_of(log_text(name))) {
      if (line.starts_with(word + " ")) pid = std::atoi(line.c_str() + word.size() + 1);
    }
    return pid > 0;
  });
  EXPECT_GT(pid, 0) << "no '" << word << " PID' in the log of " << name << ":\n" << log_text(name);
  return pid;
}

std::string CliTest::write(const std::string& name, const std::string& text, mode_t mode) {
  const std::string file_path = name.starts_with("/") ? name : path(name);
  std::ofstream(file_path, std::ios::binary) << text;
  if (chmod(file_path.c_str(), mode) < 0) ADD_FAILURE() << "cannot write " << file_path;
  if (user_ && chown(file_path.c_str(), *user_, *user_) < 0) ADD_FAILURE() << "chown " << file_path;
  return file_path;
}

std::string CliTest::read(const std::string& path) {
  return content(path);
}

bool CliTest::exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

void CliTest::kill_hard(pid_t pid) {
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_TRUE(wait_until(5s, [&] { return !alive(pid); }));
}

void CliTest::freeze(pid_t pid) {
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  EXPECT_TRUE(wait_until(5s, [&] { return state_of(pid) == 'T'; }));
}

void CliTest::thaw(pid_t pid) {
  ::kill(pid, SIGCONT);
}

std::vector<Process> CliTest::job_processes() const {
  auto all = processes_of(directory_);
  std::erase_if(all, is_own);
  return all;
}

std::vector<Process> CliTest::own_processes() const {
  auto all = processes_of(directory_);
  std::erase_if(all, [](const Process& process) { return !is_own(process); });
  return all;
}

void CliTest::expect_gone(pid_t pid, const std::string& what) {
  EXPECT_FALSE(pid > 0 && alive(pid)) << what << " is still there:\n" << list(std::vector<pid_t>{pid});
}

std::string text_of(const json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<double> number_of(const json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return {};
  return value->to_number<double>();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

std::string without_escapes(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1b') {
      plain += text[i];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '[') ++i;
    while (i + 1 < text.size() && std::isalpha(static_cast<unsigned char>(text[i + 1])) == 0) ++i;
    ++i;
  }
  return plain;
}

}  // namespace usvc::test
