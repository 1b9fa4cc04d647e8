#include "terminal/tmux_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "base/files.h"
#include "base/memory.h"
#include "base/program.h"
#include "base/text.h"
#include "base/unix_socket.h"

namespace usvc::tmux {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Making hundreds of windows on a machine that is busy already.
constexpr auto patience_for_many = 60s;
constexpr auto grace = 3s;

int left_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left < 0 ? 0 : static_cast<int>(left);
}

Status signal_through(const Fd& pidfd, int signal) {
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0U) == 0 || errno == ESRCH) return {};
  return fail(Error::last("cannot end tmux"));
}

// True: it has ended.
bool wait_for_end(const Fd& pidfd, Clock::time_point deadline) {
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&ended, 1, left_until(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready == 1;
}

// What it writes until it closes its end; false: it did not within its time.
bool read_all(const Fd& pipe, Clock::time_point deadline, std::string& output) {
  std::array<char, 4096> bytes{};
  for (;;) {
    pollfd more{.fd = pipe.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&more, 1, left_until(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = ::read(pipe.get(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    output.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

Result<Fd> file_with(std::string_view text) {
  auto file = make_memory_file("usvc-tmux", 0);
  if (!file) return file;
  if (auto written = write_all(*file, text); !written) return pass(written);
  if (::lseek(file->get(), 0, SEEK_SET) != 0) return fail(Error::last("cannot prepare tmux's commands"));
  return file;
}

int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Words Server::command_line(const Words& command) const {
  Words words = {program_, "-u", "-S", socket_, "-f", configuration_};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

Result<Answer> Server::run(const Words& command, std::string_view input, std::chrono::seconds patience) const {
  auto given = file_with(input);
  if (!given) return pass(given);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Error::last("cannot make a pipe for tmux"));
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const Words words = command_line(command);
  SpawnOptions options;
  options.own_session = false;
  auto child =
      spawn_program(words, {{*given, STDIN_FILENO}, {theirs, STDOUT_FILENO}, {theirs, STDERR_FILENO}}, options);
  if (!child) return pass(child);
  theirs.reset();
  Answer answer;
  const auto deadline = Clock::now() + patience;
  const bool in_time = read_all(ours, deadline, answer.output) && wait_for_end(child->pidfd, deadline);
  if (!in_time) (void)signal_through(child->pidfd, SIGKILL);
  answer.exit_status = reap(child->pid);
  answer.trouble = in_time ? trouble_of(answer.exit_status, answer.output) : Trouble::unusable;
  return answer;
}

Status Server::status_of(const Answer& answer) {
  if (answer.trouble == Trouble::none) return {};
  const std::string_view first = split(trim(answer.output), '\n').front();
  return fail("tmux: " + (first.empty() ? "exit status " + std::to_string(answer.exit_status) : printable(first)));
}

Status Server::run_all(const std::vector<Words>& commands) const {
  if (commands.empty()) return {};
  std::string text;
  for (const auto& command : commands) text += line_of(command);
  auto answer = run({"source-file", "-"}, text, patience_for_many);
  if (!answer) return pass(answer);
  return status_of(*answer);
}

Status end_server(const std::string& socket) {
  auto connection = connect_unix(socket);
  if (connection) {
    // Who listened there, which is the server itself.
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(connection->get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
      return fail(Error::last("cannot tell which process serves " + socket));
    }
    const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
    std::string comm;
    const bool is_tmux = read_small(("/proc/" + std::to_string(peer.pid) + "/comm").c_str(), comm) &&
                         comm.starts_with("tmux") && peer.uid == ::geteuid();
    if (pidfd && is_tmux) {
      if (auto asked = signal_through(pidfd, SIGTERM); !asked) return asked;
      if (!wait_for_end(pidfd, Clock::now() + grace)) {
        if (auto killed = signal_through(pidfd, SIGKILL); !killed) return killed;
        (void)wait_for_end(pidfd, Clock::now() + grace);
      }
    }
  }
  return remove_all(socket);
}

}  // namespace usvc::tmux
