#include "cli/live_status.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/files.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/console_command.h"
#include "cli/instance.h"
#include "cli/table.h"
#include "cli/words.h"
#include "shapes/requests.h"

namespace usvc {

namespace {

using namespace std::chrono_literals;
constexpr auto period = 1s;
// With no instance nothing changes but the machine's line, and each look takes two programs.
constexpr auto period_without_instance = 10s;
constexpr auto late = 3s;
// Of the time, as a part, what looking may take with very many jobs.
constexpr int share = 50;

std::chrono::microseconds cpu_time(const rusage& usage) {
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

bool in_trouble(const JobView& job, double now) {
  return job.state == "waiting" || !trouble_words(job, now).empty();
}

// Those that are shown, where there is room for so many.
std::vector<JobView> most_urgent(std::vector<JobView> jobs, std::size_t room, double now) {
  std::stable_partition(jobs.begin(), jobs.end(), [now](const JobView& job) { return in_trouble(job, now); });
  jobs.resize(std::min(jobs.size(), room));
  return jobs;
}

std::string rule(const Terminal& terminal) {
  std::string line;
  for (std::size_t i = 0; i < terminal.width().value_or(0); ++i) line += "─";
  return terminal.paint(Color::dim, line);
}

}  // namespace

std::vector<std::string> status_picture(const StatusView& view, double now, const Terminal& terminal,
                                        std::size_t most) {
  constexpr std::size_t around_jobs = 3;  // the machine's line, the titles and the rule below
  std::vector<std::string> lines;
  if (most == 0) return lines;
  lines.emplace_back(terminal.cut(host_line(view.host)));
  for (const auto& trouble : view.troubles) {
    if (lines.size() + around_jobs <= most) lines.push_back(trouble_line(trouble, terminal));
  }
  if (lines.size() + around_jobs > most) return lines;

  const std::size_t room = most - lines.size() - 2;
  const bool all = view.jobs.size() <= room;
  const auto jobs = all ? view.jobs : most_urgent(view.jobs, room - 1, now);
  const std::string table = job_table(jobs, now, terminal);
  for (const auto line : split(trim(table), '\n')) lines.emplace_back(line);
  if (!all) {
    const std::string more = "… and " + std::to_string(view.jobs.size() - jobs.size()) + " more: status shows all";
    lines.push_back(terminal.paint(Color::dim, terminal.cut(more)));
  }
  lines.push_back(rule(terminal));
  return lines;
}

LiveStatus::~LiveStatus() {
  if (!child_) return;
  (void)::kill(child_->pid, SIGKILL);
  while (::waitpid(child_->pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool LiveStatus::nothing_new() const {
  const bool runs = instance_runs(context_->layout);
  return view_ && !runs && !ran_ && Clock::now() - asked_ < period_without_instance;
}

bool LiveStatus::tick() {
  if (child_) return take();
  if (Clock::now() < next_) return false;
  if (nothing_new()) {
    next_ = Clock::now() + period;
    return false;
  }
  return ask();
}

bool LiveStatus::ask() {
  asked_ = Clock::now();
  next_ = asked_ + late;
  ran_ = instance_runs(context_->layout);
  std::array<int, 2> ends{};
  auto nothing = open_file("/dev/null", O_RDWR);
  if (!nothing || ::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    trouble_ = nothing ? Error::last("cannot look").message() : nothing.error().message();
    return true;
  }
  answer_ = Fd(ends[0]);
  const Fd writing(ends[1]);
  (void)::fcntl(writing.get(), F_SETFL, 0);
  const OwnProgram program = own_program(*context_, {"--json", "status"}, 0);
  SpawnOptions options;
  options.env = program.env;
  options.program = "/proc/self/exe";
  auto child = spawn_program(program.args,
                             {{*nothing, STDIN_FILENO}, {writing, STDOUT_FILENO}, {*nothing, STDERR_FILENO}}, options);
  if (!child) {
    answer_.reset();
    trouble_ = child.error().message();
    return true;
  }
  child_ = std::move(*child);
  text_.clear();
  return false;
}

bool LiveStatus::take() {
  std::array<char, 65536> bytes;
  for (;;) {
    const ssize_t got = ::read(answer_.get(), bytes.data(), bytes.size());
    if (got > 0) {
      text_.append(bytes.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    read_answer();
    return true;
  }
  if (Clock::now() < next_) return false;
  next_ = Clock::now() + period;
  late_ = true;
  return true;
}

void LiveStatus::read_answer() {
  answer_.reset();
  rusage usage{};
  while (::wait4(child_->pid, nullptr, 0, &usage) < 0 && errno == EINTR) {
  }
  child_.reset();
  late_ = false;
  next_ = std::max<Clock::time_point>(asked_ + period, Clock::now() + share * cpu_time(usage));
  const auto error = parse_as<ErrorReply>(text_);
  auto view = parse_as<StatusView>(text_);
  trouble_.clear();
  if (error && !error->error.message.empty()) {
    trouble_ = error->error.message;
  } else if (view) {
    view_ = std::move(*view);
    seen_at_ = unix_now();
  } else {
    trouble_ = "cannot see the jobs: " + view.error().message();
  }
}

std::vector<std::string> LiveStatus::lines(std::size_t columns, std::size_t most) const {
  const Terminal terminal(true, context_->out.colors(), columns);
  StatusView view = view_.value_or(StatusView());
  if (!trouble_.empty()) view.troubles.push_back(trouble_);
  if (late_) view.troubles.push_back("the manager does not answer; this is how it was");
  if (!view_) return {};
  return status_picture(view, seen_at_, terminal, most);
}

}  // namespace usvc
