// Every fault point there is, in a scenario that passes it, and there each of: the process that stopped is killed; its
// peer is killed and it goes on; both are killed. What was promised is then looked at from outside.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <functional>
#include <sstream>

#include "base/fault_point.h"
#include "faults/fixture.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

enum class Scene {
  start,         // a new job
  hooks,         // a job with hooks that runs to its end
  crash,         // a job dies and is started again
  backoff,       // a job dies twice, and waits before its third start
  stop,          // a job is stopped
  stop_deaf,     // one that has to be killed
  stop_orphan,   // one whose keeper was killed before
  crash_orphan,  // such a one dies and is started again
  crash_daemon,  // a job dies that has left a daemon behind
  restart,       // stopped and started again
  clean,         // a stopped job is forgotten
  manager_lost,  // another manager takes over
  keeper_lost,   // another keeper is started
  output,        // nothing but jobs that write
  full_log,      // a log that takes nothing more
  checkpoint,    // the journal begins a new file
  rotate,        // all logs are rotated, then compressed
};

struct Row {
  std::string_view point;
  Scene scene;
  std::size_t passes = 0;  // that go by before
};

constexpr auto rows = std::to_array<Row>({
    {"manager.start-wanted", Scene::start},
    {"manager.journal-line", Scene::start},
    {"manager.conf-written", Scene::start},
    {"manager.journal-line", Scene::start, 1},
    {"manager.spawn", Scene::start},
    {"keeper.spawn-received", Scene::start},
    {"keeper.forked", Scene::start},
    {"child.ready", Scene::start},
    {"keeper.spawned-said", Scene::start},
    {"manager.spawned", Scene::start},
    {"manager.journal-line", Scene::start, 2},
    {"manager.spawn-recorded", Scene::start},
    {"manager.let-go", Scene::start},
    {"child.let-go", Scene::start},
    {"manager.journal-line", Scene::start, 3},
    {"manager.running", Scene::start},
    {"manager.answer", Scene::start},
    {"keeper.forked", Scene::hooks},
    {"manager.let-go", Scene::hooks},
    {"manager.pre-run", Scene::hooks},
    {"manager.spawn-recorded", Scene::hooks, 1},
    {"manager.post-run", Scene::hooks},
    {"manager.exit-received", Scene::hooks, 2},
    {"keeper.exit-seen", Scene::crash},
    {"manager.exit-received", Scene::crash},
    {"manager.exit-recorded", Scene::crash},
    {"manager.swept", Scene::crash},
    {"manager.drained", Scene::crash},
    {"keeper.drop", Scene::crash},
    {"keeper.reaped", Scene::crash},
    {"manager.spawn-recorded", Scene::crash},
    {"manager.waiting", Scene::backoff},
    {"manager.stop-wanted", Scene::stop},
    {"manager.stop-signalled", Scene::stop},
    {"manager.exit-recorded", Scene::stop},
    {"keeper.drop", Scene::stop},
    {"manager.answer", Scene::stop},
    {"manager.stop-killed", Scene::stop_deaf},
    {"manager.exit-recorded", Scene::stop_orphan},
    {"manager.drained", Scene::stop_orphan},
    {"manager.exit-recorded", Scene::crash_orphan},
    {"manager.drained", Scene::crash_orphan},
    {"manager.exit-recorded", Scene::crash_daemon},
    {"manager.stop-signalled", Scene::restart},
    {"manager.drained", Scene::restart},
    {"manager.spawned", Scene::restart},
    {"manager.answer", Scene::restart},
    {"manager.clean-recorded", Scene::clean},
    {"manager.clean-file-moved", Scene::clean},
    {"manager.clean-log-moved", Scene::clean},
    {"manager.clean-conf-removed", Scene::clean},
    {"manager.cleaned", Scene::clean},
    {"manager.answer", Scene::clean},
    {"keeper.manager-gone", Scene::manager_lost},
    {"keeper.manager-started", Scene::manager_lost},
    {"keeper.items-said", Scene::manager_lost},
    {"manager.locked", Scene::manager_lost},
    {"manager.journal-open", Scene::manager_lost},
    {"manager.item-adopted", Scene::manager_lost},
    {"manager.begin-lives", Scene::manager_lost},
    {"manager.keeper-lost", Scene::keeper_lost},
    {"manager.keeper-started", Scene::keeper_lost},
    {"keeper.adopted", Scene::keeper_lost},
    {"keeper.hold", Scene::keeper_lost},
    {"keeper.hold", Scene::keeper_lost, 4},
    {"manager.hand-over", Scene::keeper_lost},
    {"carry.owned", Scene::output},
    {"carry.filled", Scene::output},
    {"carry.exchange", Scene::full_log},
    {"manager.checkpoint", Scene::checkpoint},
    {"manager.rotate-index-renamed", Scene::rotate},
    {"manager.rotate-index-renamed", Scene::rotate, 1},
    {"manager.rotate-renamed", Scene::rotate},
    {"manager.rotate-renamed", Scene::rotate, 1},
    {"manager.rotate-created", Scene::rotate},
    {"manager.rotate-created", Scene::rotate, 1},
    {"manager.rotate-indexed", Scene::rotate},
    {"manager.rotate-indexed", Scene::rotate, 1},
    {"keeper.hold", Scene::rotate},
    {"manager.rotate-held", Scene::rotate},
    {"manager.rotate-held", Scene::rotate, 1},
    {"manager.archive-written", Scene::rotate},
    {"manager.archive-renamed", Scene::rotate},
});
static_assert(std::ranges::all_of(fault_points,
                                  [](std::string_view point) {
                                    return std::ranges::any_of(rows,
                                                               [&](const Row& row) { return row.point == point; });
                                  }),
              "a fault point without a row");

// Of a child that has not become its program yet, which belongs to both, the manager or the keeper is killed.
enum class Kill { stopped, peer, both };

using Case = std::tuple<Row, Kill>;

std::string case_name(const testing::TestParamInfo<Case>& info) {
  constexpr std::array scenes = {"start",       "hooks",        "crash",        "backoff",    "stop",  "stop_deaf",
                                 "stop_orphan", "crash_orphan", "crash_daemon", "restart",    "clean", "manager_lost",
                                 "keeper_lost", "output",       "full_log",     "checkpoint", "rotate"};
  constexpr std::array kills = {"stopped", "peer", "both"};
  const auto& [row, kill] = info.param;
  std::string name = std::string(row.point) + "_" + scenes.at(static_cast<std::size_t>(row.scene));
  if (row.passes > 0) name += "_" + std::to_string(row.passes);
  name += std::string("_") + kills.at(static_cast<std::size_t>(kill));
  std::ranges::replace_if(
      name, [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
}

class KillMatrixTest : public FaultTest, public testing::WithParamInterface<Case> {
 protected:
  [[nodiscard]] const Row& row() const { return row_; }
  [[nodiscard]] Kill kill() const { return std::get<1>(GetParam()); }
  [[nodiscard]] bool at_manager() const { return !row().point.starts_with("keeper.") && !at_child(); }
  [[nodiscard]] bool of_orphan() const {
    return row().scene == Scene::stop_orphan || row().scene == Scene::crash_orphan;
  }
  [[nodiscard]] bool crashes() const {
    return row().scene == Scene::crash || row().scene == Scene::crash_orphan || row().scene == Scene::crash_daemon ||
           row().scene == Scene::backoff;
  }
  [[nodiscard]] bool at_child() const { return row().point.starts_with("child."); }

  // The other one had been killed before and nobody holds the descriptors now: as bad as both at once.
  [[nodiscard]] bool none_left() const {
    constexpr auto alone =
        std::to_array<std::string_view>({"keeper.manager-gone", "keeper.manager-started", "manager.keeper-lost",
                                         "manager.keeper-started", "manager.hand-over"});
    return kill() == Kill::both || (kill() == Kill::stopped && std::ranges::find(alone, row().point) != alone.end());
  }

  [[nodiscard]] Expected expected() const {
    Expected result;
    result.both = none_left();
    result.partly = kill() == Kill::stopped && row().point == "manager.hand-over";
    const bool stopped_is_keeper = !at_manager() && !at_child();
    result.keeper_died = result.both || row().scene == Scene::keeper_lost || of_orphan() ||
                         (kill() == Kill::stopped ? stopped_is_keeper : !stopped_is_keeper);
    return result;
  }

  // A job made before anything is armed.
  void make(Args options, const Args& modes) {
    options.insert(options.begin(), {"--settle", "0", "--name", "job"});
    options.emplace_back("--");
    Args words = numbering("job", 0);
    words.emplace_back("20");  // lines
    words.insert(words.end(), modes.begin(), modes.end());
    options.insert(options.end(), words.begin(), words.end());
    command_ = with("start", options);
  }
  void make_and_start(const Args& options, const Args& modes) {
    make(options, modes);
    ok(command_);
    command_.clear();
    ASSERT_TRUE(wait_log("job", " 20\n"));
  }

  void prepare();
  void act();
  void strike(pid_t stopped);
  // How the job's runs may have ended.
  [[nodiscard]] std::vector<std::string> ends() const {
    if (row().scene == Scene::hooks) return {"0"};
    if (row().scene == Scene::stop_deaf) return {"KILL"};
    if (crashes()) return {"1", "TERM"};
    return {"TERM"};
  }
  void limit_files(pid_t process, rlim_t bytes);
  // That the job's runs have left behind.
  [[nodiscard]] std::vector<pid_t> daemons() const;
  void look();
  void look_at_running(std::size_t most_begins, std::size_t least_begins);
  void look_at_command();

  const Row row_ = std::get<0>(GetParam());
  Args command_;  // that passes the point
  std::unique_ptr<Child> client_;
  Output output_;
  pid_t limited_ = 0;
};

void KillMatrixTest::prepare() {
  switch (row().scene) {
    case Scene::start:
      return make({}, {"--", "serve"});
    case Scene::hooks:
      return make(
          {"--restart", "on-failure", "--pre", "echo pre >>" + path("hooks"), "--post", "echo post >>" + path("hooks")},
          {"--", "exit", "0"});
    case Scene::crash:
    case Scene::crash_orphan:
      return make_and_start({},
                            {"--", "wait-file", path("go"), "--", "crash-first", "1", path("crashes"), "--", "serve"});
    case Scene::crash_daemon:
      return make_and_start({}, {"--", "wait-file", path("go"), "--", "fork-daemon", "count-file", path("daemons"),
                                 "--", "crash-first", "1", path("crashes"), "--", "serve"});
    case Scene::backoff:
      return make_and_start({},
                            {"--", "wait-file", path("go"), "--", "crash-first", "2", path("crashes"), "--", "serve"});
    case Scene::stop:
    case Scene::stop_orphan:
      make_and_start({}, {"--", "serve"});
      command_ = {"stop", "job"};
      return;
    case Scene::stop_deaf:
      make_and_start({"--stop-timeout", "0.3"}, {"--", "ignore", "TERM", "--", "serve"});
      command_ = {"stop", "job"};
      return;
    case Scene::restart:
      make_and_start({}, {"--", "serve"});
      command_ = {"restart", "job"};
      return;
    case Scene::clean:
      make_and_start({}, {"--", "serve"});
      stop({"job"});
      command_ = {"clean", "job"};
      return;
    case Scene::full_log: {
      make({}, {"--", "serve"});
      // 40,000 lines: twice what the manager may write.
      *std::ranges::find(command_, "20") = "40000";
      limited_ = manager_process();
      return limit_files(limited_, 400'000);
    }
    case Scene::checkpoint: {
      const auto grown = home() + "/journal/00000001.jsonl";
      // What this manager has yet to write would begin the new file before anybody looks.
      ASSERT_TRUE(wait_until(10s, [&] { return journaled("hashed") >= bystander_count(); }));
      FILE* file = std::fopen(grown.c_str(), "ae");
      ASSERT_NE(file, nullptr);
      const std::string empty_lines(std::size_t{1200} << 10U, '\n');
      EXPECT_EQ(std::fwrite(empty_lines.data(), 1, empty_lines.size(), file), empty_lines.size());
      std::fclose(file);
      return;
    }
    case Scene::output: {
      // A second terminal, since all of them share one pipe.
      Args args = {"--settle", "0", "--name", "job", "--"};
      for (auto& word : numbering("job", 3)) args.push_back(std::move(word));
      start(args);
      return;
    }
    case Scene::rotate:
      make_and_start({}, {"--", "serve"});
      command_ = {"rotate", "all"};
      return;
    case Scene::manager_lost:
    case Scene::keeper_lost:
      return;
  }
}

void KillMatrixTest::limit_files(pid_t process, rlim_t bytes) {
  const rlimit limit{.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
  EXPECT_EQ(prlimit(process, RLIMIT_FSIZE, &limit, nullptr), 0);
}

void KillMatrixTest::act() {
  if (!command_.empty()) client_ = launch(command_);
  if (crashes()) write("go", "");
  if (row().scene == Scene::manager_lost || row().scene == Scene::checkpoint) kill_hard(manager_process());
  if (row().scene == Scene::keeper_lost) kill_hard(keeper_process());
}

void KillMatrixTest::strike(pid_t stopped) {
  const pid_t manager = manager_process();
  const pid_t keeper = keeper_process();
  if (limited_ > 0) limit_files(limited_, RLIM_INFINITY);
  if (kill() == Kill::both) {
    // A child that has been let go is a survivor: it runs without its terminal.
    kill_all_own(at_child() ? std::vector{stopped} : std::vector<pid_t>{});
    if (at_child()) thaw(stopped);
    return;
  }
  pid_t victim = at_manager() == (kill() == Kill::peer) ? keeper : manager;
  if (at_child()) victim = kill() == Kill::stopped ? manager : keeper;
  if (victim > 0) kill_hard(victim);
  if (victim != stopped) thaw(stopped);
}

std::vector<pid_t> KillMatrixTest::daemons() const {
  std::vector<pid_t> pids;
  std::istringstream lines(read(path("daemons")));
  pid_t pid = 0;
  for (std::string word; lines >> pid >> word;) pids.push_back(pid);
  return pids;
}

void KillMatrixTest::look_at_command() {
  if (!client_) return;
  output_ = client_->finish(30s);
  const bool clear = output_.status == 0 || (output_.status > 0 && contains(output_.err, "usvc: "));
  EXPECT_TRUE(clear) << output_;
  if (kill() != Kill::both) {
    EXPECT_EQ(output_.status, 0) << output_;
  }
}

void KillMatrixTest::look_at_running(std::size_t least_begins, std::size_t most_begins) {
  EXPECT_TRUE(wait_until(20s,
                         [&] {
                           const Job job = status("job");
                           const auto begins = ledger().begins("job");
                           return job.state == "running" && alive(job.pid) && begins.size() >= least_begins &&
                                  begins.back().pid == job.pid;
                         }))
      << "the job does not run: " << status("job") << "\n"
      << output_;
  const auto begins = ledger().begins("job").size();
  EXPECT_LE(begins, kill() == Kill::both ? most_begins + 1 : most_begins) << "begun too often";
}

void KillMatrixTest::look() {
  const bool both = kill() == Kill::both;
  const auto stopped = [&] {
    EXPECT_TRUE(wait_state("job", "stopped", 20s)) << status("job");
    EXPECT_FALSE(status("job").wanted);
    for (const auto& begin : ledger().begins("job")) EXPECT_FALSE(alive(begin.pid)) << begin.pid;
  };
  switch (row().scene) {
    case Scene::start:
      if (both && output_.status != 0 && names({"job"}).empty()) return;  // it never came to be, and that was said
      [[fallthrough]];
    case Scene::full_log:
    case Scene::rotate:
      return look_at_running(1, 1);
    case Scene::hooks:
      stopped();
      // How a run ended that both of them missed nobody knows, so it may be begun again.
      EXPECT_LE(ledger().begins("job").size(), both ? 2U : 1U);
      EXPECT_GE(ledger().begins("job").size(), 1U);
      EXPECT_TRUE(contains(read(path("hooks")), "pre\n"));
      EXPECT_TRUE(both || contains(read(path("hooks")), "post\n"));
      return;
    case Scene::crash_daemon:
      look_at_running(2, 2);
      EXPECT_TRUE(wait_until(15s, [&] { return daemons().size() == ledger().begins("job").size(); }));
      EXPECT_EQ(std::ranges::count_if(daemons(), [](pid_t pid) { return alive(pid); }), 1) << read(path("daemons"));
      return;
    case Scene::crash:
    case Scene::crash_orphan:
      look_at_running(2, 2);
      EXPECT_TRUE(both || status("job").deaths == 1) << status("job");
      return;
    case Scene::backoff:
      look_at_running(3, 3);
      EXPECT_TRUE(both || status("job").deaths == 2) << status("job");
      return;
    case Scene::restart:
      return look_at_running(2, 2);
    case Scene::stop:
    case Scene::stop_deaf:
    case Scene::stop_orphan:
      if (output_.status == 0) stopped();
      return;
    case Scene::clean:
      if (output_.status != 0) return;
      EXPECT_EQ(status("job").name, "");
      for (const auto* left : {"/jobs/job.conf", "/jobs/job.env", "/work/job", "/logs/job.log"}) {
        EXPECT_FALSE(exists(home() + left)) << left;
      }
      return;
    case Scene::manager_lost:
    case Scene::keeper_lost:
    case Scene::output:
    case Scene::checkpoint:
      return;
  }
}

TEST_P(KillMatrixTest, NothingIsLost) {
  stand_by();
  if (HasFatalFailure()) return;
  prepare();
  if (HasFailure()) return;
  if (of_orphan()) {
    const auto keepers = journaled("keeper-started");
    kill_hard(keeper_process());
    ASSERT_TRUE(wait_until(15s, [&] { return journaled("keeper-started") > keepers; }));
  }
  arm(row().point, row().passes);
  act();
  const pid_t stopped = stopped_at(row().point);
  if (stopped == 0) {
    disarm(row().point);
    return;
  }
  strike(stopped);
  look_at_command();
  if (none_left()) ok({"init"});
  look();
  Expected end = expected();
  check_bystanders(end);
  end.ends = ends();
  const bool has_job = ledger().begins("job").size() > 0 && row().scene != Scene::clean;
  check_in_the_end(has_job ? std::vector<std::string>{"job"} : std::vector<std::string>{}, end);
}

INSTANTIATE_TEST_SUITE_P(AtEveryPoint, KillMatrixTest,
                         testing::Combine(testing::ValuesIn(rows),
                                          testing::Values(Kill::stopped, Kill::peer, Kill::both)),
                         case_name);

// A manager goes on from what the journal says, so it is killed after each line that a scene writes.
std::vector<Row> journal_rows() {
  constexpr std::pair<Scene, std::size_t> lines[] = {{Scene::hooks, 10}, {Scene::crash, 4},   {Scene::backoff, 8},
                                                     {Scene::stop, 3},   {Scene::restart, 6}, {Scene::clean, 2}};
  std::vector<Row> result;
  for (const auto& [scene, count] : lines) {
    for (std::size_t passes = 0; passes < count; ++passes) result.push_back({"manager.journal-line", scene, passes});
  }
  return result;
}
INSTANTIATE_TEST_SUITE_P(AfterEveryJournalLine, KillMatrixTest,
                         testing::Combine(testing::ValuesIn(journal_rows()),
                                          testing::Values(Kill::stopped, Kill::both)),
                         case_name);

}  // namespace

}  // namespace usvc::test
