#include "manager/launch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/fault_point.h"
#include "base/files.h"
#include "base/lookup.h"
#include "base/message.h"
#include "base/signals.h"
#include "base/text.h"
#include "job/names.h"
#include "job/substitute.h"
#include "keeper/card.h"
#include "keeper/launch.h"
#include "log/disposal.h"
#include "log/files.h"
#include "manager/conf_store.h"
#include "manager/log_file.h"
#include "proc/limits.h"

namespace usvc {

using keeper::Role;

namespace {

// What the process gets as 0, 1 and 2, and what usvc keeps.
struct Stdio {
  Fd input;
  Fd output;
  Fd error;
  Fd kept;  // non-blocking
  Fd error_kept;
};

Error with_limit_hint(Error error) {
  switch (error.code()) {
    case EMFILE:
      return std::move(error).hint("usvc has no descriptors left: raise the hard limit, ulimit -Hn");
    case ENFILE:
      return std::move(error).hint("the machine has no descriptors left: raise sysctl fs.file-max");
    case EAGAIN:
      return std::move(error).hint("no more processes allowed: raise ulimit -u, or sysctl kernel.pid_max");
    default:
      return error;
  }
}

Error no_terminal(Error error) {
  if (error.code() != ENOSPC) return with_limit_hint(std::move(error));
  const Terminals terminals = read_terminals().value_or(Terminals{});
  std::string taken = std::to_string(terminals.used) + " of " + std::to_string(terminals.most) + " terminals are taken";
  if (terminals.reserved > 0) taken += ", and a container gets " + std::to_string(terminals.reserved) + " fewer";
  return std::move(error).hint(
      taken + ": " + (terminals.of_mount ? "mount /dev/pts with a larger max=" : "raise sysctl kernel.pty.max") +
      ", or use --no-tty");
}

Result<Stdio> make_terminal(WindowSize window) {
  Stdio stdio;
  stdio.kept = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!stdio.kept) return fail(no_terminal(Error::last("cannot open a terminal")));
  std::array<char, 64> path{};
  if (::grantpt(stdio.kept.get()) != 0 || ::unlockpt(stdio.kept.get()) != 0 ||
      ::ptsname_r(stdio.kept.get(), path.data(), path.size()) != 0) {
    return fail(Error::last("cannot set up a terminal"));
  }
  auto slave = open_file(path.data(), O_RDWR | O_NOCTTY);
  if (!slave) return fail(no_terminal(std::move(slave).error()));
  termios modes{};
  if (::tcgetattr(slave->get(), &modes) != 0) return fail(Error::last("cannot set up a terminal"));
  // A log is to have plain line ends. Who looks at the terminal itself turns \n into \r\n on their own side.
  modes.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
  modes.c_iflag |= IUTF8;
  // A stray Ctrl-S would stop the job until somebody finds out why.
  modes.c_iflag &= ~static_cast<tcflag_t>(IXON);
  if (::tcsetattr(slave->get(), TCSANOW, &modes) != 0 || !set_window_size(*slave, window)) {
    return fail(Error::last("cannot set up a terminal"));
  }
  stdio.input = std::move(*slave);
  return stdio;
}

Status make_pipe(Fd& kept, Fd& given) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(with_limit_hint(Error::last("cannot make a pipe")));
  kept = Fd(ends[0]);
  given = Fd(ends[1]);
  // Only our end: a program is not prepared for a pipe that refuses to wait.
  if (::fcntl(kept.get(), F_SETFL, O_NONBLOCK) != 0) return fail(Error::last("cannot set up a pipe"));
  return {};
}

// `input` is null where nobody gave the program one.
Result<Stdio> make_pipes(bool split, const Fd* input) {
  Stdio stdio;
  stdio.input = input != nullptr ? try_duplicate(*input) : Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!stdio.input) return fail(with_limit_hint(Error::last("cannot open its standard input")));
  if (auto made = make_pipe(stdio.kept, stdio.output); !made) return pass(made);
  if (!split) return stdio;
  if (auto made = make_pipe(stdio.error_kept, stdio.error); !made) return pass(made);
  return stdio;
}

// What one job has to say is not mixed with another's stderr: the logs of jobs called web and web.err would be.
Status own_logs(const Instance& instance, const Job& job) {
  const std::string log = instance.log_path_of(job);
  const std::string errors = error_log_of(log);
  if (job.conf->split && !job.conf->tty) {
    const auto other = instance.other_owner_of(errors, job);
    if (!other) return {};
    return fail(Error("its stderr would go to " + errors + ", the log of job " + other->name)
                    .hint("give one of them another log, or set split = false"));
  }
  if (!is_error_log_name(log)) return {};
  const auto other = instance.other_owner_of(log, job);
  if (!other || instance.log_path_of(*other) == log) return {};
  return fail(Error("its output would go to " + log + ", where job " + other->name + " keeps its stderr")
                  .hint("give one of them another log or name"));
}

Status open_logs(Instance& instance, const Job& job, Run& run) {
  if (auto own = own_logs(instance, job); !own) return own;
  run.log_path = instance.log_path_of(job);
  if (!job.conf_or_defaults().log.empty()) {  // where others have files too
    if (auto beside = check_index_place(run.log_path); !beside) return beside;
  }
  auto log = open_log(run.log_path);
  if (!log) return fail(with_limit_hint(std::move(log).error()));
  run.log = std::move(*log);
  if (!run.error_output) return {};
  run.error_log_path = error_log_of(run.log_path);
  auto error_log = open_log(run.error_log_path);
  if (!error_log) return fail(with_limit_hint(std::move(error_log).error()));
  run.error_log = std::move(*error_log);
  return {};
}

Facts facts_of(const Instance& instance, const Job& job, const JobRecord& record) {
  Facts facts;
  facts.job_name = job.name;
  facts.hostname = instance.hostname();
  facts.deaths = static_cast<int>(record.deaths);
  if (!record.last_exit) return facts;
  const ExitView& exit = *record.last_exit;
  if (exit.code) facts.exit_status = static_cast<int>(*exit.code);
  if (exit.signal) facts.exit_status = 128 + parse_signal(*exit.signal).value_or(0);
  facts.run_length = bounded_seconds(exit.ran);
  return facts;
}

std::string instance_number(const Job& job) {
  const std::string prefix = job.conf->group + "-";
  if (!job.name.starts_with(prefix)) return "1";
  const auto number = parse_number(std::string_view(job.name).substr(prefix.size()));
  return number ? std::to_string(*number) : "1";
}

std::vector<std::string> environment(std::vector<std::string> env, const Job& job, const std::string& run_id,
                                     const std::string& work) {
  std::erase_if(env, [](const std::string& variable) {
    for (const char* own : {"USVC_JOB=", "USVC_GROUP=", "USVC_INSTANCE=", "USVC_RUN=", "USVC_WORK="}) {
      if (variable.starts_with(own)) return true;
    }
    return false;
  });
  env.push_back("USVC_JOB=" + job.name);
  env.push_back("USVC_GROUP=" + job.conf->group);
  env.push_back("USVC_INSTANCE=" + instance_number(job));
  env.push_back("USVC_RUN=" + run_id);
  env.push_back("USVC_WORK=" + work);
  return env;
}

Result<Fd> card_for(Instance& instance, const Job& job, Run& run) {
  const Conf& conf = *job.conf;
  const JobRecord& record = instance.record_of(job);
  auto env = load_environment(instance.layout(), job.name);
  if (!env) return pass(env);
  const std::string work = instance.layout().work_path(job.name);
  if (auto made = ensure_private_dir(work); !made) return pass(made);
  const Facts facts = facts_of(instance, job, record);
  keeper::CardSpec spec;
  if (run.phase == Phase::main) {
    spec.path = conf.cmd;
    if (conf.cmd.find('/') == std::string::npos) {  // and not one of that name in the job's directory
      auto program = find_program(conf, *env);
      if (!program) return pass(program);
      spec.path = run.program = std::move(*program);
    }
    spec.argv.push_back(spec.path);
    for (const auto& arg : conf.args) spec.argv.push_back(substitute_argument(arg, facts));
  } else {
    spec.path = "/bin/sh";
    spec.argv = {"/bin/sh", "-c", substitute_hook(run.phase == Phase::pre ? conf.pre_cmd : conf.post_cmd, facts)};
  }
  spec.env = environment(std::move(*env), job, run.run_id, work);
  spec.cwd = conf.cwd;
  spec.umask = conf.umask;
  spec.nice = conf.nice;
  for (const auto& limit : conf.limits) spec.limits.push_back({limit.resource, limit.soft, limit.hard});
  spec.terminal = conf.tty;
  spec.subreaper = conf.tree == TreeTier::subreaper;
  return keeper::make_card(spec);
}

Result<std::optional<Cgroup>> cgroup_for(const Instance& instance, const Job& job, const std::string& run_id,
                                         Phase phase) {
  const TreeTier tier = job.conf->tree;
  if (tier == TreeTier::proc || tier == TreeTier::subreaper) return std::optional<Cgroup>();
  if (instance.cgroup_parent().empty()) {
    if (tier == TreeTier::automatic) return std::optional<Cgroup>();
    return fail(
        Error("core.tree is cgroup, and this instance has no cgroup of its own")
            .hint("set core.tree to auto; or, under a systemd user manager, usvc shutdown && usvc init --boot"));
  }
  auto cgroup = Cgroup::create(instance.cgroup_parent(), cgroup_name(run_id, phase));
  if (!cgroup && tier == TreeTier::automatic) return std::optional<Cgroup>();
  if (!cgroup) return pass(cgroup);
  return std::optional<Cgroup>(std::move(*cgroup));
}

}  // namespace

asio::awaitable<Result<Launched>> launch(Instance* instance, std::shared_ptr<Job> job, Phase phase) {
  const Conf& conf = *job->conf;
  Launched launched;
  Run& run = launched.run;
  run.run_id = instance->record_of(*job).run_id.value_or("");
  run.phase = phase;
  run.terminal = conf.tty;
  const Fd* input = phase == Phase::main ? instance->input_of(job->name) : nullptr;
  auto stdio = conf.tty ? make_terminal(job->window) : make_pipes(conf.split, input);
  if (!stdio) co_return pass(stdio);
  run.error_output = std::move(stdio->error_kept);
  if (auto opened = open_logs(*instance, *job, run); !opened) co_return pass(opened);
  auto card = card_for(*instance, *job, run);
  if (!card) co_return pass(card);
  auto cgroup = cgroup_for(*instance, *job, run.run_id, phase);
  if (!cgroup) co_return pass(cgroup);
  auto status = make_socket_pair(SOCK_STREAM);
  if (!status) co_return fail(with_limit_hint(std::move(status).error()));
  run.output = std::move(stdio->kept);
  run.cgroup = std::move(*cgroup);
  const FdRef output = stdio->output ? FdRef(stdio->output) : FdRef(stdio->input);
  std::vector<Lent> fds = {{Role::card, *card},
                           {Role::status, status->theirs},
                           {Role::standard_input, stdio->input},
                           {Role::standard_output, output},
                           {Role::standard_error, stdio->error ? FdRef(stdio->error) : output},
                           {Role::output, run.output},
                           {Role::log, run.log}};
  if (run.error_output) fds.push_back({Role::error_output, run.error_output});
  if (run.error_log) fds.push_back({Role::error_log, run.error_log});
  if (run.cgroup) fds.push_back({Role::cgroup, run.cgroup->directory()});
  fault_point("manager.spawn");
  auto spawned = co_await instance->keeper().spawn(run.item_id(), std::move(fds), conf.tty);
  if (!spawned) {
    if (run.cgroup) (void)run.cgroup->remove();
    co_return fail(with_limit_hint(std::move(spawned).error()));
  }
  fault_point("manager.spawned");
  run.pid = spawned->pid;
  run.pidfd = std::move(spawned->pidfd);
  ProcessStat stat;
  std::string buffer;
  if (read_stat(run.pid, stat, buffer)) run.start_ticks = stat.start_ticks;
  run.marks.main = run.pid;
  run.marks.main_start_ticks = run.start_ticks;
  run.marks.run_id = run.run_id;
  mark_output(run);
  launched.status = std::move(status->ours);
  co_return launched;
}

asio::awaitable<Status> let_go(Instance* instance, Fd status, std::string program) {
  const char go = 1;
  // A child that has failed already is gone, and says why below.
  (void)!::send(status.get(), &go, 1, MSG_NOSIGNAL);
  fault_point("manager.let-go");
  asio::posix::stream_descriptor answer(instance->io(), status.release());
  keeper::LaunchFailure failure;
  const auto buffer = asio::buffer(&failure, sizeof failure);
  const auto [error, size] = co_await answer.async_read_some(buffer, as_result);
  if (error || size != sizeof failure) co_return Status();  // end of file: exec closed it
  co_return fail(explain_launch(static_cast<int>(failure.step), failure.error, program, ""));
}

Error explain_launch(int step, int error, const std::string& program, const std::string& cwd) {
  const auto at = keeper::Step{step};
  if (at != keeper::Step::exec) {
    return Error::from_errno(error, program + ": cannot " + keeper::step_text(at) + (cwd.empty() ? "" : " " + cwd));
  }
  Error failed = Error::from_errno(error, program);
  struct stat info {};
  const bool exists = ::stat(program.c_str(), &info) == 0;
  if (error == EACCES && exists && S_ISDIR(info.st_mode)) return Error(program + ": it is a directory");
  if (error == EACCES && exists && (info.st_mode & 0111U) == 0) {
    return std::move(failed).hint(mode_hint(program, program));
  }
  if (error == ENOENT && exists) return std::move(failed).hint("the interpreter named in its first line is missing");
  if (error == E2BIG)
    return std::move(failed).hint("arguments and environment together are larger than the kernel takes");
  return failed;
}

}  // namespace usvc
