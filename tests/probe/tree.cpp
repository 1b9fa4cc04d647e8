// Ways to leave processes behind.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include "probe.h"

namespace probe {

namespace {

struct Pipe {
  int reader = -1;
  int writer = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) < 0) die("pipe2");
  return {ends[0], ends[1]};
}

pid_t must_fork() {
  const pid_t pid = fork();
  if (pid < 0) die("fork");
  return pid;
}

// The pid that comes through the pipe, once its sender has let go of it.
pid_t read_pid(int fd) {
  pid_t pid = 0;
  if (read(fd, &pid, sizeof pid) != sizeof pid) die("the daemon did not start");
  char more = 0;
  while (read(fd, &more, 1) > 0) {
  }
  return pid;
}

[[noreturn]] void go_on(Words words) {
  run_modes(words);
  serve();
}

// What a program that replaces its environment looks like: only its executable and its parents tell what it was.
[[noreturn]] void go_on_without_environment(Words words) {
  std::string name = "probe";
  std::string serve_word = "serve";
  std::vector<char*> argv{name.data()};
  argv.insert(argv.end(), words.begin(), words.end());
  if (words.empty()) argv.push_back(serve_word.data());
  argv.push_back(nullptr);
  std::array<char*, 1> nothing{nullptr};
  execve("/proc/self/exe", argv.data(), nothing.data());
  _exit(125);
}

// Forks twice with a setsid between, so that the result is nobody's child in a session of its own. The grandchild
// reports its pid through a pipe, which it gets to close when it is what it is to be; the caller gets the pid.
template <class Then>
pid_t daemonize(Then then) {
  const Pipe pipe = make_pipe();
  const pid_t middle = must_fork();
  if (middle == 0) {
    if (setsid() < 0) _exit(125);
    if (fork() != 0) _exit(0);
    std::signal(SIGHUP, SIG_IGN);
    const pid_t self = getpid();
    (void)!write(pipe.writer, &self, sizeof self);
    then(pipe.writer);
  }
  close(pipe.writer);
  waitpid(middle, nullptr, 0);
  const pid_t pid = read_pid(pipe.reader);
  close(pipe.reader);
  return pid;
}

}  // namespace

void fork_daemon(Words words) {
  const bool clear_env = !words.empty() && std::string_view(words[0]) == "--clear-env";
  if (clear_env) words = words.subspan(1);
  const pid_t pid = daemonize([&](int ready) {
    if (chdir("/") < 0) _exit(125);
    const auto keep = static_cast<unsigned>(ready);
    if (close_range(0, keep - 1, 0) < 0 || close_range(keep + 1, ~0U, 0) < 0) _exit(125);
    if (clear_env) go_on_without_environment(words);  // closes `ready` by itself
    close(ready);
    go_on(words);
  });
  say("daemon " + std::to_string(pid));
}

void make_child(Words words, bool own_session) {
  std::vector<int> ignored{SIGHUP};  // or the end of the terminal would do the work of whoever must find the child
  while (words.size() >= 2 && std::string_view(words[0]) == "--ignore") {
    ignored.push_back(signal_by_name(words[1]));
    words = words.subspan(2);
  }
  const pid_t pid = must_fork();
  if (pid == 0) {
    for (const int signal : ignored) std::signal(signal, SIG_IGN);
    if (own_session && setsid() < 0) _exit(125);
    go_on(words);
  }
  say((own_session ? "setsid-child " : "child ") + std::to_string(pid));
}

void hold_tty() {
  say("holder " + std::to_string(daemonize([](int ready) {
        close(ready);
        serve();
      })));
}

}  // namespace probe
