// What usvc computes, without processes and sockets: confs, the journal's meaning, selectors, JSON, looking into an
// index. By number of jobs, lines or marks where that is what the cost grows with.
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "job/conf.h"
#include "job/layout.h"
#include "job/selector.h"
#include "journal/fold.h"
#include "log/index.h"
#include "manager/conf_store.h"
#include "shapes/event.h"
#include "shapes/json.h"
#include "shapes/views.h"

namespace usvc {

namespace {

// A home in memory, where there is such a file system.
class Home {
 public:
  Home() : path_(std::filesystem::exists("/dev/shm") ? "/dev/shm/usvc-micro-XXXXXX" : "/tmp/usvc-micro-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
    layout_ = *Layout::from(
        path_, [](const char*) -> const char* { return nullptr; }, "/");
    std::filesystem::create_directory(layout_.jobs_dir);
  }
  ~Home() { std::filesystem::remove_all(path_); }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  [[nodiscard]] const Layout& layout() const { return layout_; }

 private:
  std::string path_;
  Layout layout_;
};

Conf a_conf() {
  Conf conf;
  conf.cmd = "/usr/bin/worker";
  conf.args = {"--queue", "mails and more", "--threads=4"};
  conf.name = "worker-1";
  conf.group = "worker";
  conf.cwd = "/srv/worker";
  return conf;
}

std::string job_name(std::int64_t number) {
  return fmt::format("worker-{}", number);
}

void conf_written(benchmark::State& state) {
  const Conf conf = a_conf();
  for (auto _ : state) benchmark::DoNotOptimize(conf_text(conf_to_entries(conf)));
}
BENCHMARK(conf_written);

void conf_checked(benchmark::State& state) {
  const auto entries = conf_to_entries(a_conf());
  for (auto _ : state) benchmark::DoNotOptimize(conf_from_entries(entries));
}
BENCHMARK(conf_checked);

// From its file, as at a start whose conf has been edited.
void conf_loaded(benchmark::State& state) {
  const Home home;
  const Conf conf = a_conf();
  if (!save_conf(home.layout(), conf)) return state.SkipWithError("the conf can't be written");
  for (auto _ : state) benchmark::DoNotOptimize(load_conf(home.layout(), conf.name));
}
BENCHMARK(conf_loaded);

std::vector<std::string> journal_lines(std::int64_t jobs) {
  std::vector<std::string> lines;
  for (std::int64_t number = 1; number <= jobs; ++number) {
    Event event;
    event.t = 1.79e9 + static_cast<double>(number);
    event.job = job_name(number);
    event.event = "wanted";
    event.wanted = true;
    lines.push_back(event_line(event));
    event.wanted.reset();
    event.run_id = *event.job + ".1.0a1b2c3d";
    event.event = "starting";
    event.log_offset = 0;
    lines.push_back(event_line(event));
    event.log_offset.reset();
    event.event = "running";
    event.pid = 1000 + number;
    lines.push_back(event_line(event));
    event.event = "exited";
    event.code = 1;
    event.core = false;
    event.ran = 12.5;
    event.cpu = 0.25;
    event.max_rss_bytes = 5'000'000;
    lines.push_back(event_line(event));
  }
  return lines;
}

// What a manager that takes over reads: four lines a job.
void journal_folded(benchmark::State& state) {
  const auto lines = journal_lines(state.range(0));
  for (auto _ : state) {
    Picture picture;
    for (const auto& line : lines) {
      if (const auto event = parse_event(line)) apply(picture, *event);
    }
    benchmark::DoNotOptimize(picture);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(lines.size()));
}
BENCHMARK(journal_folded)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);

void selected(benchmark::State& state, const std::string& word) {
  std::vector<std::string> names;
  for (std::int64_t number = 1; number <= state.range(0); ++number) names.push_back(job_name(number));
  std::vector<JobRef> jobs;
  for (const auto& name : names)
    jobs.push_back({.name = name, .group = "worker", .state = JobState::running, .live = true});
  const std::vector<std::string> words = {word};
  for (auto _ : state) benchmark::DoNotOptimize(select(words, jobs));
}
BENCHMARK_CAPTURE(selected, one, "worker-77")->Arg(10'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(selected, glob, "work*-*7")->Arg(10'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(selected, group, "worker")->Arg(10'000)->Unit(benchmark::kMicrosecond);

JobsReply some_jobs(std::int64_t count) {
  JobsReply reply;
  for (std::int64_t number = 1; number <= count; ++number) {
    JobView job;
    job.name = job_name(number);
    job.group = "worker";
    job.state = "running";
    job.pid = 1000 + number;
    job.cmd = {"/usr/bin/worker", "--queue", "mails and more"};
    job.run_id = job.name + ".1.0a1b2c3d";
    job.started_at = 1.79e9;
    job.md5 = "9e107d9d372bb6826bd81d3542a419d6";
    job.wanted = true;
    job.log = "/home/user/.usvc/logs/" + job.name + ".log";
    job.conf = "/home/user/.usvc/jobs/" + job.name + ".conf";
    job.cwd = "/srv/worker";
    reply.jobs.push_back(std::move(job));
  }
  return reply;
}

void jobs_to_json(benchmark::State& state) {
  const JobsReply reply = some_jobs(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(to_json_text(reply));
}
BENCHMARK(jobs_to_json)->Arg(10'000)->Unit(benchmark::kMillisecond);

void jobs_from_json(benchmark::State& state) {
  const std::string text = to_json_text(some_jobs(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(parse_as<JobsReply>(text));
}
BENCHMARK(jobs_from_json)->Arg(10'000)->Unit(benchmark::kMillisecond);

std::string an_index(std::int64_t marks) {
  std::string bytes;
  const auto add = [&bytes](const Mark& mark) {
    const auto encoded = to_bytes(mark);
    bytes.append(encoded.data(), encoded.size());
  };
  add({.kind = MarkKind::header});
  for (std::int64_t number = 1; number <= marks; ++number) {
    add({.position = static_cast<std::uint64_t>(number) * 4096, .time_us = number * 100'000, .run = 1, .nonce = 7});
  }
  return bytes;
}

void index_parsed(benchmark::State& state) {
  const std::string bytes = an_index(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(LogIndex::parse(bytes));
}
BENCHMARK(index_parsed)->Arg(100'000)->Unit(benchmark::kMillisecond);

void index_sought(benchmark::State& state) {
  const LogIndex index = LogIndex::parse(an_index(state.range(0)));
  std::int64_t at = 0;
  for (auto _ : state) {
    at = (at + 7'919) % state.range(0);
    benchmark::DoNotOptimize(index.since(at * 100'000));
  }
}
BENCHMARK(index_sought)->Arg(100'000);

}  // namespace

}  // namespace usvc
