#include "cli/top/tasks.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/files.h"
#include "base/memory.h"

namespace usvc {

namespace {

// Of more output only the end is kept.
constexpr std::size_t most_output = std::size_t{4} << 20U;

std::string all_of(const Fd& file) {
  const auto size = file_size(file);
  if (!size) return {};
  const std::size_t kept = std::min(*size, most_output);
  auto text = read_at(file, static_cast<off_t>(*size - kept), kept);
  return text ? std::move(*text) : std::string();
}

}  // namespace

std::vector<std::string> usvc_words(const Context& context, const std::vector<std::string>& words) {
  std::vector<std::string> all = {program_beside("usvc")};
  if (context.home) all.insert(all.end(), {"--home", *context.home});
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

std::vector<std::string> usvc_environment() {
  // By an option or the variable, we were allowed to.
  if (::geteuid() == 0) return {"USVC_ALLOW_ROOT=1"};
  return {};
}

void Tasks::add(top::Request request, std::vector<std::string> words) {
  waiting_.push_back({std::move(request), std::move(words)});
}

Result<Tasks::Running> Tasks::start(Waiting task) {
  auto null = open_file("/dev/null", O_RDONLY);
  if (!null) return pass(null);
  auto out = make_memory_file("usvc-out", 0);
  if (!out) return pass(out);
  auto err = make_memory_file("usvc-err", 0);
  if (!err) return pass(err);
  SpawnOptions options;
  options.env = usvc_environment();
  const std::vector<InheritedFd> fds = {
      {FdRef(*null), STDIN_FILENO}, {FdRef(*out), STDOUT_FILENO}, {FdRef(*err), STDERR_FILENO}};
  auto child = spawn_program(usvc_words(*context_, task.words), fds, options);
  if (!child) return pass(child);
  return Running{std::move(task.request), std::move(*child), std::move(*out), std::move(*err)};
}

std::vector<TaskEnd> Tasks::take() {
  std::vector<TaskEnd> ended;
  std::erase_if(running_, [&](Running& task) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(task.child.pid), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
      return false;
    }
    const int status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    ended.push_back({std::move(task.request), status, all_of(task.out), all_of(task.err)});
    return true;
  });
  while (!waiting_.empty() && running_.size() < most_at_once) {
    Waiting task = std::move(waiting_.front());
    waiting_.pop_front();
    top::Request request = task.request;
    auto started = start(std::move(task));
    if (started) {
      running_.push_back(std::move(*started));
    } else {
      ended.push_back({std::move(request), 1, {}, started.error().message()});
    }
  }
  return ended;
}

void Tasks::append_to(std::vector<pollfd>& fds) const {
  for (const auto& task : running_) fds.push_back({task.child.pidfd.get(), POLLIN, 0});
}

}  // namespace usvc
