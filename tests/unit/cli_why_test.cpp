#include <gtest/gtest.h>

#include <string>

#include "cli/why_words.h"

namespace usvc {
namespace {

constexpr double today = 1'800'000'000;

struct Case {
  std::string what;
  JobView job;
  Background background;
  std::vector<std::string> parts;  // must all be there, in this order
};

JobView job_in(const std::string& state) {
  JobView job;
  job.name = "web";
  job.state = state;
  job.conf = "/h/jobs/web.conf";
  job.wanted = true;
  job.runs = 2;
  job.started_at = today - 60;
  return job;
}

ExitView end(std::optional<std::int64_t> code, std::optional<std::string> signal = std::nullopt) {
  ExitView exit;
  exit.code = code;
  exit.signal = std::move(signal);
  exit.ran = 0.02;
  exit.at = today - 5;
  return exit;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  JobView job = job_in("running");
  job.pid = 4242;
  job.kernel_state = "asleep";
  all.push_back({"running", job, {}, {"web is running (asleep) as process 4242, started 60 s ago", "starts it again"}});
  job.last_exit = end(std::nullopt, "KILL");
  job.deaths = 1;
  all.push_back(
      {"killed once", job, {}, {"running", "was killed by KILL after 0.02 s, 5 s ago", "died once in 2 runs"}});
  job.restart = "never";
  all.push_back({"once", job, {}, {"When it ends it is not started again."}});

  job = job_in("waiting");
  job.last_exit = end(3);
  job.deaths = 7;
  job.runs = 7;
  job.deaths_in_a_row = 7;
  job.first_death_in_row_at = today - 90;
  job.waiting_until = today + 8.2;
  Background printed;
  printed.last_output = {"no database", "\x1b[31mgiving up"};
  all.push_back(
      {"throttled",
       job,
       printed,
       {"waiting to be started again", "exited with status 3", "7 times in 7 runs, the last 7 in a row within 90 s",
        "It last printed:\n    no database\n    giving up\n", "starts it again in 9 s, at "}});

  job = job_in("stopped");
  job.wanted = false;
  job.last_exit = end(std::nullopt, "TERM");
  job.last_exit->asked = true;
  all.push_back({"stopped", job, {}, {"web is stopped: it was asked to.", "usvc start web"}});
  job.last_exit = end(0);
  job.restart = "on-failure";
  all.push_back({"finished", job, {}, {"exited with success", "only when it fails, and it did not"}});
  job = job_in("stopped");
  job.runs = 0;
  all.push_back({"never ran", job, {}, {"has never run"}});

  job.runs = 2;
  job.run_id = "web.2.00000000";
  all.push_back({"lost",
                 job,
                 {},
                 {"is not running: usvc's own processes have ended while it ran", "starts it again with the instance",
                  "what is still left of it is ended before"}});
  job.last_exit = end(3);
  job.last_exit->run_id = "web.1.00000000";
  all.push_back({"lost, and the one before", job, {}, {"The run before that exited with status 3"}});
  job.restart = "never";
  all.push_back({"lost once", job, {}, {"does not start it again: it is to run once only"}});
  job.restart = "always";
  job.last_exit->run_id = job.run_id;
  all.push_back({"shut down", job, {}, {"not running, as its instance is not.", "starts it again with the instance"}});

  Background online;
  online.instance_runs = true;
  all.push_back({"mended since",
                 job,
                 online,
                 {"web is stopped: its conf could not be used when it was to be started.", "Its last run exited",
                  "To start it: usvc start web."}});

  job = job_in("waiting");
  job.last_exit = end(3);
  job.last_exit->reason = "the pre-run hook failed: exit 3";
  job.last_exit->run_id = "web.2.00000000";
  job.log = "/h/logs/web.log";
  all.push_back({"hook failed",
                 job,
                 {},
                 {"came to nothing: the pre-run hook failed: exit 3 after 0.02 s", "program itself was not started",
                  "/h/logs/web.log (usvc logchunk web.2.00000000)"}});

  job = job_in("invalid");
  job.trouble = "/h/jobs/web.conf:3: core.tty: 'x' is neither true nor false";
  all.push_back({"invalid", job, {}, {"cannot be started: /h/jobs/web.conf:3", "Correct /h/jobs/web.conf"}});

  job = job_in("dead");
  job.last_exit = ExitView{};
  job.last_exit->reason = "exec: No such file or directory";
  all.push_back({"not started", job, {}, {"could not be started: exec: No such file", "right away"}});
  for (auto& one : all) one.background.now = today;
  return all;
}

TEST(CliWhy, TellsStatePastAndFuture) {
  for (const auto& c : cases()) {
    const std::string text = why_text(c.job, c.background);
    std::size_t at = 0;
    for (const auto& part : c.parts) {
      const std::size_t found = text.find(part, at);
      EXPECT_NE(found, std::string::npos) << c.what << ": no '" << part << "' in: " << text;
      if (found != std::string::npos) at = found + part.size();
    }
    EXPECT_TRUE(text.ends_with("\n"));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find("  ", 0) == std::string::npos, c.background.last_output.empty()) << text;
  }
}

}  // namespace
}  // namespace usvc
