#include "faults/fixture.h"

#include <signal.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace usvc::test {

namespace fs = std::filesystem;

namespace {

struct Bystander {
  const char* name;
  std::vector<const char*> options;
  const char* log;
};
const Bystander bystanders[] = {
    {"by-terminal", {}, "by-terminal"},
    {"by-pipe", {"--no-tty"}, "by-pipe"},
    {"by-stderr", {"--no-tty", "--split"}, "by-stderr.err"},
};

void report(const Complaints& complaints) {
  for (const auto& complaint : complaints) ADD_FAILURE() << complaint;
}

}  // namespace

bool kernel_tells_ends() {
  utsname name{};
  int major = 0;
  int minor = 0;
  if (uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
  return major > 6 || (major == 6 && minor >= 15);
}

void FaultTest::SetUp() {
  CliTest::SetUp();
  environment()["USVC_FAULTS"] = path("faults");
  ledger_ = Ledger(path("ledger"));
  fs::create_directory(path("faults"));
  fs::create_directory(ledger_.directory());
}

Args FaultTest::numbering(const std::string& name, int pause_ms) const {
  return {
      probe(), "begin", ledger_.directory(), name, "--", "lines", ledger_.directory(), name, std::to_string(pause_ms)};
}

void FaultTest::stand_by() {
  for (const auto& bystander : bystanders) {
    const std::string name = bystander.name;
    const std::string log = bystander.log;
    Args args = {"--settle", "0", "--name", name};
    args.insert(args.end(), bystander.options.begin(), bystander.options.end());
    args.emplace_back("--");
    if (log != name) args.insert(args.end(), {"sh", "-c", "exec \"$@\" >&2", "sh"});
    for (auto& word : numbering(name)) args.push_back(std::move(word));
    start(args);
    ASSERT_TRUE(wait_until(10s, [&] { return !ledger_.begins(name).empty(); }));
    bystanders_.push_back({name, log, ledger_.begins(name).back().pid});
  }
}

void FaultTest::arm(std::string_view point, std::size_t passes) {
  // By rename: a process that comes by must not find it half written.
  const std::string file = path("faults/") + std::string(point);
  write(file + ".armed", std::string(passes, '.'));
  fs::rename(file + ".armed", file);
}

void FaultTest::disarm(std::string_view point) {
  fs::remove(path("faults/") + std::string(point));
}

pid_t FaultTest::stopped_at(std::string_view point, milliseconds deadline) {
  const std::string here = path("faults/") + std::string(point) + ".here";
  pid_t pid = 0;
  const bool stopped = wait_until(deadline, [&] {
    pid = std::atoi(content(here).c_str());
    return pid > 0 && (state_of(pid) == 'T' || state_of(pid) == 't');  // t: under a debugger
  });
  EXPECT_TRUE(stopped) << "nobody came to " << point;
  fs::remove(here);
  return stopped ? pid : 0;
}

pid_t FaultTest::own_process(std::string_view program) const {
  const auto all = own_processes();
  for (const auto& process : all) {
    const bool is = std::string_view(process.executable).ends_with(program);
    // What was forked a moment ago and has not become its program yet is not meant.
    const bool forked = std::any_of(all.begin(), all.end(), [&](const Process& other) {
      return other.pid == process.parent && other.executable == process.executable;
    });
    if (is && !forked) return process.pid;
  }
  return 0;
}

void FaultTest::kill_all_own(const std::vector<pid_t>& spared) {
  std::vector<pid_t> victims;
  // All are stopped before the first is killed: else the survivor would start another.
  EXPECT_TRUE(wait_until(10s, [&] {
    victims.clear();
    bool still = true;
    for (const auto& process : own_processes()) {
      const bool client = process.executable.ends_with("/usvc");
      if (client || std::find(spared.begin(), spared.end(), process.pid) != spared.end()) continue;
      ::kill(process.pid, SIGSTOP);
      still = still && process.state == 'T';
      victims.push_back(process.pid);
    }
    return still;
  }));
  for (const pid_t pid : victims) ::kill(pid, SIGKILL);
  EXPECT_TRUE(wait_until(10s, [&] { return std::none_of(victims.begin(), victims.end(), alive); }));
}

std::size_t FaultTest::journaled(const std::string& event) const {
  std::size_t count = 0;
  for (const auto& file : fs::directory_iterator(home() + "/journal")) {
    count += count_of(content(file.path()), "\"event\":\"" + event + "\"");
  }
  return count;
}

std::string FaultTest::whole_log(const std::string& log) const {
  const std::string name = log + ".log";
  // While they are read one may be compressed, removed or renamed: then all are read again.
  for (int attempt = 0; attempt < 50; ++attempt) {
    const auto before = log_parts(name);
    std::string whole;
    bool all_read = true;
    for (const auto& part : before) {
      const auto text = part.ends_with(".zst") ? zstdcat(part) : std::optional(content(part));
      all_read = all_read && text && fs::exists(part);
      whole += text.value_or("");
    }
    if (all_read && log_parts(name) == before) return whole;
  }
  ADD_FAILURE() << "the files of " << name << " don't come to rest";
  return "";
}

std::vector<std::string> FaultTest::log_parts(const std::string& name) const {
  std::set<std::string> parts;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(home() + "/logs/old", gone)) {
    const std::string file = entry.path().filename();
    if (!file.starts_with(name + ".") || !std::isdigit(static_cast<unsigned char>(file[name.size() + 1]))) continue;
    if (file.ends_with(".idx") || file.ends_with(".tmp")) continue;
    parts.insert(entry.path());
  }
  // Of one that is in the middle of being compressed the raw file goes.
  std::erase_if(parts, [&](const std::string& part) { return parts.contains(part + ".zst"); });
  std::vector<std::string> all(parts.begin(), parts.end());
  if (fs::exists(home() + "/logs/" + name)) all.push_back(home() + "/logs/" + name);
  return all;
}

std::optional<std::string> FaultTest::zstdcat(const std::string& path) {
  RunOptions options;
  options.cwd = "/";
  Child child({"/usr/bin/zstdcat", path}, {}, options, std::nullopt);
  const Output output = child.finish(20s);
  return output.status == 0 ? std::optional(output.out) : std::nullopt;
}

void FaultTest::check_bystanders(const Expected& expected) {
  for (const auto& [name, log, pid] : bystanders_) {
    const bool anew = expected.both && !expected.partly;
    const bool runs = wait_until(20s, [&] {
      const Job job = status(name);
      return job.state == "running" && job.pid > 0 && alive(job.pid) && (!anew || job.pid != pid);
    });
    EXPECT_TRUE(runs) << name << " does not run: " << status(name);
    if (!expected.both) {
      EXPECT_EQ(status(name).pid, pid) << name << " was started anew";
      EXPECT_EQ(ledger_.begins(name).size(), 1U) << name;
    }
    const auto size = whole_log(log).size();
    EXPECT_TRUE(wait_until(10s, [&] { return whole_log(log).size() > size; })) << name << ": its output has stalled";
  }
}

void FaultTest::check_job(const std::string& name, const Expected& expected) {
  for (const auto& refused : ledger_.refused(name)) {
    ADD_FAILURE() << name << ": process " << refused.pid << " of run " << refused.run << " met another copy";
  }
  Ledger::Exits exits{.ends = expected.ends, .cpu = !expected.keeper_died};
  if (expected.both || (expected.keeper_died && !kernel_tells_ends())) exits.ends.emplace_back("unknown");
  report(ledger_.check_exits(name, events_of(name, "exited"), exits));
}

void FaultTest::check_in_the_end(const std::vector<std::string>& jobs, const Expected& expected) {
  stop({"all"});
  EXPECT_TRUE(wait_until(5s, [&] { return job_processes().empty(); })) << list(job_processes());
  for (const auto& [name, log, pid] : bystanders_) {
    check_job(name, {.both = expected.both, .keeper_died = expected.keeper_died, .ends = {"TERM"}});
    report(ledger_.check_log(name, whole_log(log), expected.both));
  }
  for (const auto& name : jobs) {
    check_job(name, expected);
    report(ledger_.check_log(name, whole_log(name), expected.both));
  }
}

}  // namespace usvc::test
