// soak [--minutes N] [--seed N] [--jobs N]: a mix of jobs under random kills and commands, and then the account.
// Needs USVC_TEST_BIN. Ends with 1 when a promise was broken, and keeps the evidence.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>

#include "cli/census.h"
#include "cli/process.h"
#include "faults/soak_job.h"
#include "faults/soak_judge.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using Clock = std::chrono::steady_clock;
using Words = std::vector<std::string>;

struct Kind {
  const char* name;  // of the group
  const char* behaviour;
  int share;  // of 20
  int interval_ms;
  bool endless;
  Words options;
};

const std::vector<Kind> kinds = {
    {"terminal", "writer", 4, 60, true, {}},
    {"pipe", "writer", 4, 40, true, {"--no-tty"}},
    {"crasher", "crasher", 3, 30, false, {}},
    {"young", "crasher", 1, 80, false, {"--no-runaway-protect"}},
    {"brief", "brief", 2, 60, false, {"--no-runaway-protect", "--no-tty"}},
    {"hooked", "crasher", 2, 60, false, {"--pre", "true", "--post", "echo ~EXIT_STATUS >/dev/null"}},
    {"forker", "forker", 2, 100, true, {}},
    {"deaf", "deaf", 2, 100, true, {"--stop-timeout", "0.5"}},
};

struct SoakJob {
  std::string name;
  const Kind* kind;
  enum class Asked { unsure, running, stopped } asked = Asked::unsure;  // by the last command that was acknowledged
};

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class Soak {
 public:
  Soak(double minutes, std::uint64_t seed, int jobs, const std::string& self)
      : seed_(seed), length_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(minutes * 60))) {
    std::string pattern = "/tmp/usvc-soak-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    facts_.directory = pattern;
    facts_.home = pattern + "/h";
    for (const char* name : {"/locks", "/counts"}) fs::create_directory(facts_.directory + name);
    worker_ = facts_.directory + "/worker";
    fs::copy_file(self, worker_);
    const char* program = std::getenv("USVC_TEST_BIN");
    if (program == nullptr) throw std::runtime_error("USVC_TEST_BIN must name usvc");
    program_ = program;
    environment_ = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                    {"HOME", facts_.directory},
                    {"USVC_HOME", facts_.home},
                    {"LANG", "C.UTF-8"},
                    {"USVC_ALLOW_ROOT", "1"}};
    for (const auto& kind : kinds) {
      for (int i = 1; i <= std::max(1, jobs * kind.share / 20); ++i) {
        jobs_.push_back({std::string(kind.name) + "-" + std::to_string(i), &kind});
        if (kind.endless) facts_.endless.insert(jobs_.back().name);
      }
    }
  }

  int run() {
    std::cout << "soak: " << jobs_.size() << " jobs, seed " << seed_ << ", in " << facts_.directory << std::endl;
    for (auto& job : jobs_) begin(job);
    const auto end = Clock::now() + length_;
    std::vector<std::thread> clients;
    for (unsigned i = 0; i < clients_at_once; ++i) clients.emplace_back([this, i, end] { be_client(i, end); });
    kill_until(end);
    for (auto& client : clients) client.join();
    check_states();
    facts_.events = usvc({"--json", "events"}).out;
    const Output down = usvc({"shutdown"});
    if (down.status != 0) broken("shutdown: " + down.all());
    std::vector<Process> left;
    wait_until(10s, [&] { return (left = processes_of(facts_.directory)).empty(); });
    if (!left.empty()) broken("left over:\n" + list(left));
    for (const auto& process : left) ::kill(process.pid, SIGKILL);
    facts_.events = usvc({"--json", "events"}).out;
    return report(left.size());
  }

 private:
  Output usvc(const Words& words) {
    Words argv = {program_};
    argv.insert(argv.end(), words.begin(), words.end());
    Child child(argv, environment_, {.cwd = facts_.directory}, {});
    ++commands_;
    Output output = child.finish(120s);
    // 4: the manager could not be reached. It has to be, but for the moment after both were killed.
    if ((output.status == 4 || output.status > 128) && !gap_) {
      std::string text;
      for (const auto& word : words) text += " " + word;
      broken("usvc" + text + ": " + output.all());
    }
    return output;
  }

  void broken(std::string what) {
    const std::lock_guard lock(mutex_);
    ++broken_;
    if (findings_.size() < 40) findings_.push_back(std::move(what));
  }

  Words command_of(const SoakJob& job) const {
    Words words = {"start", "--name", job.name, "-g", job.kind->name, "--settle", "0"};
    words.insert(words.end(), job.kind->options.begin(), job.kind->options.end());
    words.insert(words.end(),
                 {"--", worker_, "job", facts_.directory, job.kind->behaviour, std::to_string(job.kind->interval_ms)});
    return words;
  }

  void begin(SoakJob& job) {
    const Output output = usvc(command_of(job));
    job.asked = output.status == 0 ? SoakJob::Asked::running : SoakJob::Asked::unsure;
    if (output.status != 0 && job.kind->endless && !gap_) broken("start " + job.name + ": " + output.all());
  }

  // Each client has jobs of its own, so that what it was told last of one is what must be true of it.
  void be_client(unsigned number, Clock::time_point end) {
    std::mt19937_64 random(seed_ + 1000 + number);
    std::vector<SoakJob*> mine;
    for (std::size_t i = number; i < jobs_.size(); i += clients_at_once) mine.push_back(&jobs_[i]);
    while (Clock::now() < end) {
      command(*mine[random() % mine.size()], random);
      std::this_thread::sleep_for(milliseconds(random() % 400));
    }
  }

  void command(SoakJob& job, std::mt19937_64& random) {
    const auto chance = random() % 100;
    const bool running = job.asked == SoakJob::Asked::running;
    if (chance < 25) {
      const Words looks[] = {{"status"}, {"jobs"}, {"why", job.name}, {"log", "-n", "3", job.name}, {"vars"}};
      (void)usvc(looks[random() % std::size(looks)]);
    } else if (chance < 45) {
      note(job, usvc({"restart", job.name}), SoakJob::Asked::running);
    } else if (running || chance < 55) {
      note(job, usvc({"stop", job.name}), SoakJob::Asked::stopped);
    } else if (chance < 85) {
      note(job, usvc({"start", job.name}), SoakJob::Asked::running);
    } else {
      clean(job);
    }
  }

  // One that ends at once is told as a failure, and is wanted all the same.
  static void note(SoakJob& job, const Output& output, SoakJob::Asked asked) {
    const bool done = output.status == 0 || (output.status == 1 && asked == SoakJob::Asked::running);
    job.asked = done ? asked : SoakJob::Asked::unsure;
  }

  void clean(SoakJob& job) {
    note(job, usvc({"stop", job.name}), SoakJob::Asked::stopped);
    if (job.asked != SoakJob::Asked::stopped) return;
    const Output output = usvc({"clean", job.name});
    if (output.status != 0 && !gap_) broken("clean " + job.name + ": " + output.all());
    // Old logs are told apart by the second.
    std::this_thread::sleep_for(1100ms);
    begin(job);
  }

  struct Pids {
    pid_t manager = 0;
    pid_t keeper = 0;
    [[nodiscard]] bool both() const { return manager > 0 && keeper > 0 && alive(manager) && alive(keeper); }
  };
  Pids pids() {
    boost::system::error_code error;
    const auto value = json::parse(usvc({"--json", "vars"}).out, error);
    Pids found;
    if (error || !value.is_object()) return found;
    const auto number = [&](const char* key) {
      const auto* pid = value.get_object().if_contains(key);
      return pid != nullptr && pid->is_number() ? pid->to_number<pid_t>() : 0;
    };
    found.manager = number("manager_pid");
    found.keeper = number("keeper_pid");
    return found;
  }

  void kill_until(Clock::time_point end) {
    std::mt19937_64 random(seed_);
    while (Clock::now() < end) {
      std::this_thread::sleep_for(milliseconds(50 + random() % 900));
      const Pids before = pids();
      if (!before.both()) continue;
      const auto chance = random() % 1000;
      if (chance < 400) {
        ::kill(before.manager, random() % 4 == 0 ? SIGSEGV : SIGKILL);
        ++manager_kills_;
        await_other(before, "manager");
      } else if (chance < 650) {
        ::kill(before.keeper, SIGKILL);
        ++keeper_kills_;
        await_other(before, "keeper");
      } else if (chance < 655) {
        kill_both(before);
      } else {
        kill_job(random);
      }
    }
  }

  void await_other(const Pids& before, const std::string& which) {
    const bool back = wait_until(30s, [&] {
      const Pids now = pids();
      return now.both() && (now.manager != before.manager || now.keeper != before.keeper);
    });
    if (!back) broken("nobody came for the killed " + which);
  }

  void kill_both(const Pids& before) {
    gap_ = true;
    const double begin = unix_time();
    ::kill(before.manager, SIGKILL);
    ::kill(before.keeper, SIGKILL);
    ++both_kills_;
    // One of them may have begun another in between.
    wait_until(20s, [&] {
      const Output output = usvc({"init"});
      return output.status == 0 && pids().both();
    });
    facts_.gaps.emplace_back(begin, unix_time() + 2);
    std::this_thread::sleep_for(2s);
    gap_ = false;
  }

  void kill_job(std::mt19937_64& random) {
    const Output output = usvc({"pidof", "all"});
    std::vector<pid_t> all;
    std::istringstream words(output.out);
    for (pid_t pid = 0; words >> pid;) all.push_back(pid);
    if (all.empty()) return;
    const pid_t pid = all[random() % all.size()];
    // Only what is certainly ours: the number may be somebody else's by now.
    std::error_code error;
    if (fs::read_symlink("/proc/" + std::to_string(pid) + "/exe", error) != worker_) return;
    facts_.killed.insert(pid);
    ::kill(pid, SIGKILL);
    ++job_kills_;
  }

  void check_states() {
    if (!pids().both()) (void)usvc({"init"});
    for (const auto& job : jobs_) {
      if (job.asked == SoakJob::Asked::unsure) continue;
      std::string last;
      const bool stopped = job.asked == SoakJob::Asked::stopped;
      const bool right = wait_until(15s, [&] {
        boost::system::error_code error;
        const auto value = json::parse(usvc({"--json", "status", job.name}).out, error);
        const auto* all = error || !value.is_object() ? nullptr : value.get_object().if_contains("jobs");
        if (all == nullptr || !all->is_array() || all->get_array().empty()) return false;
        const auto& view = all->get_array().front();
        last = json::serialize(view);
        const std::string state(view.at("state").as_string());
        return view.at("wanted").as_bool() != stopped && (state == "stopped") == stopped;
      });
      if (!right) broken(job.name + " was " + (stopped ? "stopped" : "started") + " and is not: " + last);
    }
  }

  int report(std::size_t left) {
    const SoakFigures figures = judge(facts_);
    std::ofstream(facts_.directory + "/events") << facts_.events;
    const auto minutes = std::chrono::duration<double>(length_).count() / 60;
    std::printf("minutes      %.1f   seed %llu\n", minutes, static_cast<unsigned long long>(seed_));
    std::printf("kills        manager %d, keeper %d, both %d, jobs %d\n", manager_kills_, keeper_kills_, both_kills_,
                job_kills_);
    std::printf("commands     %d\n", commands_.load());
    const auto line = [](const char* name, std::uint64_t number) {
      std::printf("%-12s %llu\n", name, static_cast<unsigned long long>(number));
    };
    line("runs", figures.runs);
    line("lines", figures.lines);
    line("exits", figures.exits);
    std::printf("lost         lines %llu, exits %llu\n", static_cast<unsigned long long>(figures.lost_lines),
                static_cast<unsigned long long>(figures.lost_exits));
    std::printf("doubled      lines %llu, exits %llu\n", static_cast<unsigned long long>(figures.doubled_lines),
                static_cast<unsigned long long>(figures.doubled_exits));
    line("wrong exits", figures.wrong_exits);
    line("unknown", figures.unknown_exits);
    line("unexplained", figures.unexplained);
    line("two copies", figures.two_copies);
    line("left over", left);
    line("broken", static_cast<std::uint64_t>(broken_));
    std::printf("not counted  %llu runs that lived when both were killed: output nobody had read yet is lost then\n",
                static_cast<unsigned long long>(figures.not_counted));
    for (const auto& text : findings_) std::printf("! %s\n", text.c_str());
    for (const auto& text : figures.findings) std::printf("! %s\n", text.c_str());
    const bool good = broken_ == 0 && left == 0 && figures.findings.empty();
    if (!good) {
      std::printf("a promise is broken; kept: %s\n", facts_.directory.c_str());
      return 1;
    }
    std::error_code error;
    fs::remove_all(facts_.directory, error);
    return 0;
  }

  static constexpr unsigned clients_at_once = 3;
  std::uint64_t seed_;
  Clock::duration length_;
  SoakFacts facts_;
  std::string worker_;
  std::string program_;
  std::map<std::string, std::string> environment_;
  std::vector<SoakJob> jobs_;
  std::atomic<int> commands_ = 0;
  std::atomic<bool> gap_ = false;
  int manager_kills_ = 0;
  int keeper_kills_ = 0;
  int both_kills_ = 0;
  int job_kills_ = 0;
  std::mutex mutex_;
  int broken_ = 0;
  std::vector<std::string> findings_;
};

int soak(int argc, char** argv) {
  double minutes = 10;
  std::uint64_t seed = std::random_device()();
  int jobs = 200;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--minutes") minutes = std::strtod(argv[i + 1], nullptr);
    if (option == "--seed") seed = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--jobs") jobs = std::atoi(argv[i + 1]);
  }
  return Soak(minutes, seed, jobs, fs::read_symlink("/proc/self/exe")).run();
}

}  // namespace

}  // namespace usvc::test

int main(int argc, char** argv) {
  if (argc == 5 && std::string(argv[1]) == "job") {
    usvc::test::be_soak_job(argv[2], argv[3], std::strtol(argv[4], nullptr, 10));
  }
  try {
    return usvc::test::soak(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "soak: " << error.what() << "\n";
    return 2;
  }
}
