// What usvc shows of jobs, the machine and itself: the JSON of the API and of --json. Key names are a contract.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shapes/json.h"

namespace usvc {

struct ExitView {
  std::optional<std::int64_t> code;   // one of code and signal; neither: unknown, or never started (then `reason`)
  std::optional<std::string> signal;  // "KILL"
  bool core = false;
  std::optional<bool> oom;  // the kernel ended it for want of memory
  double ran = 0;           // seconds
  double at = 0;            // seconds since 1970
  std::optional<std::string> reason;
  std::optional<std::string> run_id;
  std::optional<std::int64_t> log_offset;  // where that run begins, as a position (log/index.h)
  std::optional<bool> asked;               // usvc was asked to stop it
  std::optional<bool> forced;              // and the stop signal had not been enough: it took SIGKILL
};
BOOST_DESCRIBE_STRUCT(ExitView, (), (code, signal, core, oom, ran, at, reason, run_id, log_offset, asked, forced))

// The end is that of the pre-run hook, and the program has not been started: `reason` says so.
inline bool of_pre_hook(const ExitView& exit) {
  return exit.reason && (exit.code || exit.signal);
}

// Which file was started, to see later whether it has been replaced.
struct BinaryView {
  std::string path;
  std::int64_t dev = 0;
  std::int64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t mtime_ns = 0;
};
BOOST_DESCRIBE_STRUCT(BinaryView, (), (path, dev, inode, size, mtime_ns))

struct JobView {
  std::string name;
  std::string group;
  std::string state;  // stopped starting pre-run running dead post-run waiting stopping invalid
  std::optional<std::int64_t> pid;
  std::vector<std::string> cmd;  // path and arguments
  std::int64_t deaths = 0;       // non-zero exits and kills that usvc did not ask for
  std::int64_t runs = 0;
  std::optional<std::string> run_id;  // of the live run, else of the last
  std::optional<double> started_at;
  std::optional<std::string> md5;   // of the binary that was started
  std::optional<bool> md5_changed;  // the client's to fill, as are the next three
  std::optional<double> cpu_percent;
  std::optional<std::int64_t> mem_bytes;
  std::optional<std::string> kernel_state;
  bool wanted = false;
  std::optional<double> waiting_until;
  std::optional<ExitView> last_exit;
  bool tty = true;
  std::string log;
  std::optional<std::string> error_log;  // of stderr, where that is or was kept apart

  std::string conf;
  std::string cwd;
  std::string restart = "always";    // always on-failure never
  std::int64_t deaths_in_a_row = 0;  // since the last healthy minute or start by hand
  std::optional<double> first_death_in_row_at;
  std::optional<std::string> trouble;       // why it needs a look: the conf's error, a log that can't be written
  std::optional<std::int64_t> start_ticks;  // with pid: the identity of the main process
  std::optional<std::int64_t> log_offset;   // where the live or last run begins, as a position in the log
  std::optional<BinaryView> binary;
};
BOOST_DESCRIBE_STRUCT(JobView, (),
                      (name, group, state, pid, cmd, deaths, runs, run_id, started_at, md5, md5_changed, cpu_percent,
                       mem_bytes, kernel_state, wanted, waiting_until, last_exit, tty, log, error_log, conf, cwd,
                       restart, deaths_in_a_row, first_death_in_row_at, trouble, start_ticks, log_offset, binary))

struct DiskView {
  std::string mount;
  double percent = 0;
};
BOOST_DESCRIBE_STRUCT(DiskView, (), (mount, percent))

struct HostView {
  std::string name;
  std::int64_t cores = 0;
  std::vector<double> load;  // 1, 5 and 15 minutes
  std::string tasks;         // running/total, as in /proc/loadavg
  double mem_percent = 0;
  std::optional<double> swap_percent;  // no swap: null
  std::int64_t fds = 0;
  std::vector<DiskView> disks;
};
BOOST_DESCRIBE_STRUCT(HostView, (), (name, cores, load, tasks, mem_percent, swap_percent, fds, disks))

struct StatusView {
  HostView host;
  std::vector<JobView> jobs;
  std::vector<std::string> troubles;  // what needs a look and is no single job's
};
BOOST_DESCRIBE_STRUCT(StatusView, (), (host, jobs, troubles))

struct JobsReply {
  std::vector<JobView> jobs;
  std::vector<std::string> troubles;  // what needs a look and is no single job's
};
BOOST_DESCRIBE_STRUCT(JobsReply, (), (jobs, troubles))

struct VarsView {
  std::string version;
  std::string home;
  std::string socket;
  std::string tmux_socket;
  std::string jobs_dir;
  std::string logs_dir;
  std::string journal_dir;
  std::string work_dir;
  std::string settings;
  std::string instance_log;  // what manager and keeper have to say themselves
  std::optional<std::int64_t> manager_pid;
  std::optional<std::int64_t> keeper_pid;
  std::optional<std::string> keeper_version;
  std::optional<double> started_at;   // the manager
  std::optional<std::string> cgroup;  // the delegated cgroup jobs live under
};
BOOST_DESCRIBE_STRUCT(VarsView, (),
                      (version, home, socket, tmux_socket, jobs_dir, logs_dir, journal_dir, work_dir, settings,
                       instance_log, manager_pid, keeper_pid, keeper_version, started_at, cgroup))

struct FindingView {
  std::string about;                // "boot"
  std::string severity;             // well, hint (could be better), trouble
  std::string what;                 // one line
  std::optional<std::string> mend;  // the command that mends it, or what to do
};
BOOST_DESCRIBE_STRUCT(FindingView, (), (about, severity, what, mend))

struct DoctorView {
  std::vector<FindingView> findings;
};
BOOST_DESCRIBE_STRUCT(DoctorView, (), (findings))

}  // namespace usvc
