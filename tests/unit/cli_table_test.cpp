#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "cli/table.h"

namespace usvc {
namespace {

constexpr double noon = 1'800'000'000;
const Terminal a_pipe(false, false, std::nullopt);

JobView running() {
  JobView job;
  job.name = "web-1";
  job.group = "web";
  job.state = "running";
  job.pid = 4242;
  job.cmd = {"/usr/bin/python3", "-m", "http.server", "a b"};
  job.started_at = noon - 3 * 86400;
  job.md5 = "1f2e3d4c00112233";
  job.cpu_percent = 0.4;
  job.mem_bytes = 12 << 20;
  job.kernel_state = "asleep";
  job.wanted = true;
  return job;
}

JobView waiting() {
  JobView job;
  job.name = "web-10";
  job.group = "web";
  job.state = "waiting";
  job.cmd = {"/srv/serve"};
  job.deaths = 7;
  job.deaths_in_a_row = 7;
  job.first_death_in_row_at = noon - 120;
  job.waiting_until = noon + 8.5;
  job.md5 = "1f2e3d4c00112233";
  job.md5_changed = true;
  job.wanted = true;
  ExitView exit;
  exit.code = 1;
  exit.ran = 0.1;
  exit.at = noon - 1;
  job.last_exit = exit;
  return job;
}

TEST(CliTable, HostLine) {
  HostView host;
  host.name = "box";
  host.cores = 8;
  host.load = {0.42, 0.31, 0.3};
  host.tasks = "1/402";
  host.mem_percent = 31.2;
  host.swap_percent = 0;
  host.fds = 3168;
  host.disks = {{"/", 41}, {"/data", 12}};
  EXPECT_EQ(host_line(host),
            "\"box\" [8 cores] [load 0.42 0.31 0.30 1/402] [mem 31.2%] [swap 0.0%] [fds 3168] [/ 41.0%] [/data 12.0%]");
  host.swap_percent.reset();
  EXPECT_EQ(host_line(host).find("swap"), std::string::npos);
}

TEST(CliTable, ColumnsAsWideAsTheirData) {
  EXPECT_EQ(
      job_table({running(), waiting()}, noon, a_pipe),
      "service name  pid   group  status      cpu   mem  up  D  md5        cmd\n"
      "web-1         4242  web    asleep      0.4%  12M  3d  0  1f2e3d4c   /usr/bin/python3 -m http.server 'a b'\n"
      "web-10        -     web    waiting 9s  -     -    -   7  1f2e3d4c*  /srv/serve   ! exit 1, 7 times in 2m\n");
}

TEST(CliTable, NoJobsIsTheHeaderAlone) {
  EXPECT_EQ(job_table({}, noon, a_pipe), "service name  pid  group  status  cpu  mem  up  D  md5  cmd\n");
}

TEST(CliTable, ANarrowTerminalStillShowsTheCommand) {
  JobView job = waiting();
  job.state = "stopped";
  job.deaths_in_a_row = 1;
  job.wanted = false;
  const Terminal terminal(true, false, 80);
  const std::string table = job_table({running(), job}, noon, terminal);
  for (const auto line : split(table, '\n')) EXPECT_LE(display_width(line), 80U) << line;
  EXPECT_EQ(table.find("md5"), std::string::npos) << table;
  EXPECT_NE(table.find("/srv/serve   ! exit 1"), std::string::npos) << table;
  // There is room for all.
  EXPECT_NE(job_table({running(), job}, noon, Terminal(true, false, 120)).find("md5"), std::string::npos);
}

TEST(CliTable, ATerminalCutsTheCommandBeforeTheTrouble) {
  const Terminal terminal(true, false, 105);
  const std::string table = job_table({running(), waiting()}, noon, terminal);
  for (const auto line : split(table, '\n')) EXPECT_LE(display_width(line), 105U) << line;
  JobView job = waiting();
  job.cmd = {"/srv/serve", std::string(300, 'x')};
  const std::string cut = job_table({job}, noon, terminal);
  EXPECT_TRUE(cut.ends_with("x   ! exit 1, 7 times in 2m\n")) << cut;
  EXPECT_EQ(display_width(trim(cut.substr(cut.find('\n')))), 105U);
}

TEST(CliTable, ColorsByNeed) {
  const Terminal terminal(true, true, 200);
  JobView stopped = running();
  stopped.state = "stopped";
  stopped.pid.reset();
  JobView broken = stopped;
  broken.state = "invalid";
  broken.trouble = "web.conf:3: core.tty: must be a boolean";
  const std::string table = job_table({running(), waiting(), stopped, broken}, noon, terminal);
  const auto lines = split(table, '\n');
  EXPECT_TRUE(lines[1].starts_with("web-1"));
  EXPECT_TRUE(lines[2].starts_with("\x1b[33mweb-10"));
  EXPECT_TRUE(lines[3].starts_with("\x1b[2mweb-1"));
  EXPECT_TRUE(lines[4].starts_with("\x1b[31mweb-1"));
  EXPECT_NE(lines[4].find("! web.conf:3: core.tty"), std::string::npos);
}

TEST(CliTable, AHostileArgumentStaysOnItsLine) {
  JobView job = running();
  job.cmd = {"/bin/sh", "a\nb\x1b[2J"};
  const std::string table = job_table({job}, noon, a_pipe);
  EXPECT_EQ(split(trim(table), '\n').size(), 2U) << table;
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace usvc
