// probe MODE [WORD...] [-- MODE [WORD...]]...
//
//   serve                     sleeps for ever
//   exit CODE [after MS]      crash SIGNAL [after MS]      sleep MS
//   ignore SIG...             ignores them, prints "ignoring SIG...", goes on
//   catch SIG [exit CODE]     prints "caught SIG" each time (then exits), goes on
//   print TEXT...             a line each            complain TEXT...   the same on stderr
//   flood BYTES [LINESIZE]    numbered lines         tick MS [COUNT]    "tick N" every MS
//   args WORD...              every remaining word as a JSON string, a line each
//   env                       the environment        report             one JSON object: what this process was given
//   fork-daemon [--clear-env] [MODE...]   a double-forked daemon without descriptors; prints "daemon PID", goes on
//   child [--ignore SIG] [MODE...]        a child in the same group; prints "child PID", goes on
//   setsid-child [--ignore SIG] [MODE...] a child in a session of its own; prints "setsid-child PID", goes on
//   holdtty                   leaves a daemon that keeps the output open; prints "holder PID", goes on
//   close-output              closes stdout and stderr, then serves
//   spin [MS]                 burns a processor      eat MB             touches memory and keeps it
//   count-file FILE           appends "PID start", goes on
//   crash-first N FILE        exit 1 at the first N starts, counted in FILE, afterwards goes on
//   wait-file FILE            goes on once FILE exists
//   wait-lock FILE            goes on once nobody holds an exclusive lock on FILE: any number at once, without a look
//   begin DIR NAME            appends "begin PID RUN" to DIR/NAME.ledger and goes on, holding a lock until it ends;
//   exit 97
//                             and "refused PID RUN" where another process holds it
//   lines DIR NAME MS [COUNT] "line PID N" every MS; the last N written is in DIR/NAME.PID
//   keep-file FILE            reads FILE into memory and keeps it, as a monitor does with /proc/PID/environ; goes on
//   listen PORT               serves "pid PID" on loopback; exit 98 if the port is in use
//   cat                       copies stdin to stdout
#include "probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

extern char** environ;

namespace probe {

namespace {

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) _exit(124);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

struct SignalName {
  std::string_view name;
  int number;
};
constexpr std::array signal_names{
    SignalName{"HUP", SIGHUP},     SignalName{"INT", SIGINT},   SignalName{"QUIT", SIGQUIT},
    SignalName{"ILL", SIGILL},     SignalName{"ABRT", SIGABRT}, SignalName{"BUS", SIGBUS},
    SignalName{"FPE", SIGFPE},     SignalName{"KILL", SIGKILL}, SignalName{"SEGV", SIGSEGV},
    SignalName{"PIPE", SIGPIPE},   SignalName{"ALRM", SIGALRM}, SignalName{"TERM", SIGTERM},
    SignalName{"USR1", SIGUSR1},   SignalName{"USR2", SIGUSR2}, SignalName{"CHLD", SIGCHLD},
    SignalName{"CONT", SIGCONT},   SignalName{"STOP", SIGSTOP}, SignalName{"TSTP", SIGTSTP},
    SignalName{"WINCH", SIGWINCH},
};

std::string_view name_of(int number) {
  for (const auto& row : signal_names) {
    if (row.number == number) return row.name;
  }
  return "?";
}

// `exit CODE after MS`: waits if the words say so.
void nap_if_told(Words words) {
  if (words.size() >= 3 && std::string_view(words[1]) == "after") nap(number(words, 2, 0));
}

void mode_exit(Words words) {
  nap_if_told(words);
  _exit(static_cast<int>(number(words, 0, 0)));
}

void mode_crash(Words words) {
  if (words.empty()) die("crash needs a signal");
  const int signal = signal_by_name(words[0]);
  nap_if_told(words);
  std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  raise(signal);
  die("the signal did not end me");
}

void mode_ignore(Words words) {
  std::string line = "ignoring";
  for (const char* word : words) {
    std::signal(signal_by_name(word), SIG_IGN);
    line += ' ';
    line += word;
  }
  say(line);
}

// Indexed by signal: the exit code after it is caught, or -1 to go on.
std::array<int, 65> exit_code_after;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): for the handler

void handler(int signal) {
  const int kept = errno;
  std::array<char, 32> line{};
  const auto name = name_of(signal);
  constexpr std::string_view begin = "caught ";
  char* end = std::copy(begin.begin(), begin.end(), line.begin());
  end = std::copy(name.begin(), name.end(), end);
  *end++ = '\n';
  write_all(STDOUT_FILENO, {line.data(), static_cast<std::size_t>(end - line.data())});
  const int code = exit_code_after.at(static_cast<std::size_t>(signal));
  if (code >= 0) _exit(code);
  errno = kept;
}

void mode_catch(Words words) {
  if (words.empty()) die("catch needs a signal");
  const int signal = signal_by_name(words[0]);
  exit_code_after.at(static_cast<std::size_t>(signal)) = static_cast<int>(number(words, 2, -1));
  struct sigaction action {};
  action.sa_handler = handler;
  if (sigaction(signal, &action, nullptr) < 0) die("sigaction");
}

void mode_flood(Words words) {
  auto left = static_cast<std::size_t>(number(words, 0, 0));
  const auto line_size = static_cast<std::size_t>(number(words, 1, 64));
  std::string batch;
  for (long line = 1; left > 0; ++line) {
    std::string text = std::to_string(line) + " ";
    text.resize(line_size - 1, 'x');
    text += '\n';
    text.resize(std::min(text.size(), left));
    left -= text.size();
    batch += text;
    if (batch.size() > 16384 || left == 0) {
      write_all(STDOUT_FILENO, batch);
      batch.clear();
    }
  }
}

void mode_tick(Words words) {
  const long interval = number(words, 0, 10);
  const long count = number(words, 1, -1);
  for (long line = 1; count < 0 || line <= count; ++line) {
    say("tick " + std::to_string(line));
    nap(interval);
  }
}

void mode_spin(Words words) {
  const long limit = number(words, 0, -1);
  const auto begin = clock();
  while (limit < 0 || (clock() - begin) / (CLOCKS_PER_SEC / 1000) < limit) {
    for (int i = 0; i < 100000; ++i) asm volatile("");
  }
}

void mode_eat(Words words) {
  const auto bytes = static_cast<std::size_t>(number(words, 0, 1)) << 20U;
  static std::vector<char> kept;
  kept.assign(bytes, 1);
}

void append(const char* path, const std::string& line) {
  const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) die(std::string("cannot open ") + path);
  write_all(fd, line);
  close(fd);
}

void mode_count_file(Words words) {
  if (words.empty()) die("count-file needs a file");
  append(words[0], std::to_string(getpid()) + " start\n");
}

void mode_crash_first(Words words) {
  if (words.size() < 2) die("crash-first needs a number and a file");
  long earlier = 0;
  if (FILE* file = std::fopen(words[1], "re")) {
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) earlier += c == '\n' ? 1 : 0;
    std::fclose(file);
  }
  append(words[1], std::to_string(getpid()) + " start\n");
  if (earlier < number(words, 0, 0)) {
    say("crashing, start " + std::to_string(earlier + 1));
    _exit(1);
  }
}

void mode_wait_file(Words words) {
  if (words.empty()) die("wait-file needs a file");
  while (access(words[0], F_OK) != 0) nap(5);
}

void mode_wait_lock(Words words) {
  if (words.empty()) die("wait-lock needs a file");
  const int file = open(words[0], O_RDONLY | O_CLOEXEC);
  if (file < 0) die(std::string("cannot open ") + words[0]);
  while (flock(file, LOCK_SH) != 0) {
    if (errno != EINTR) die("flock");
  }
  close(file);
}

void mode_keep_file(Words words) {
  if (words.empty()) die("keep-file needs a file");
  static std::string kept;
  FILE* file = std::fopen(words[0], "re");
  if (file == nullptr) die(std::string("cannot open ") + words[0]);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) kept += static_cast<char>(c);
  std::fclose(file);
  say("keeping " + std::to_string(kept.size()) + " bytes");
}

void mode_listen(Words words) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) die("socket");
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(number(words, 0, 0)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface wants it
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 || listen(listener, 8) < 0) {
    const int why = errno;
    if (why != EADDRINUSE) die("bind");
    write_all(STDERR_FILENO, "port in use\n");
    _exit(98);
  }
  for (;;) {
    const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::string line = "pid " + std::to_string(getpid()) + "\n";
    (void)!send(client, line.data(), line.size(), MSG_NOSIGNAL);
    close(client);
  }
}

void mode_cat() {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    write_all(STDOUT_FILENO, {buffer.data(), static_cast<std::size_t>(got)});
  }
}

void mode_env() {
  for (char** entry = environ; *entry != nullptr; ++entry) say(*entry);
}

void mode_close_output() {
  close(STDOUT_FILENO);
  close(STDERR_FILENO);
  serve();
}

struct Mode {
  std::string_view name;
  void (*run)(Words);
};
constexpr std::array modes{
    Mode{"serve", [](Words) { serve(); }},
    Mode{"exit", mode_exit},
    Mode{"crash", mode_crash},
    Mode{"sleep", [](Words words) { nap(number(words, 0, 0)); }},
    Mode{"ignore", mode_ignore},
    Mode{"catch", mode_catch},
    Mode{"print",
         [](Words words) {
           for (const char* word : words) say(word);
         }},
    Mode{"complain",
         [](Words words) {
           for (const char* word : words) write_all(STDERR_FILENO, std::string(word) + "\n");
         }},
    Mode{"flood", mode_flood},
    Mode{"tick", mode_tick},
    Mode{"env", [](Words) { mode_env(); }},
    Mode{"report", [](Words) { report(); }},
    Mode{"fork-daemon", fork_daemon},
    Mode{"child", [](Words words) { make_child(words, false); }},
    Mode{"setsid-child", [](Words words) { make_child(words, true); }},
    Mode{"holdtty", [](Words) { hold_tty(); }},
    Mode{"close-output", [](Words) { mode_close_output(); }},
    Mode{"spin", mode_spin},
    Mode{"eat", mode_eat},
    Mode{"count-file", mode_count_file},
    Mode{"crash-first", mode_crash_first},
    Mode{"wait-file", mode_wait_file},
    Mode{"wait-lock", mode_wait_lock},
    Mode{"begin", begin},
    Mode{"lines", number_lines},
    Mode{"keep-file", mode_keep_file},
    Mode{"listen", mode_listen},
    Mode{"cat", [](Words) { mode_cat(); }},
};

}  // namespace

void die(std::string_view what) {
  write_all(STDERR_FILENO, "probe: " + std::string(what) + "\n");
  _exit(125);
}

void say(std::string_view line) {
  write_all(STDOUT_FILENO, std::string(line) + "\n");
}

long number(Words words, std::size_t index, long absent) {
  if (index >= words.size()) return absent;
  char* end = nullptr;
  const long value = std::strtol(words[index], &end, 10);
  if (end == words[index] || *end != '\0') die(std::string("not a number: ") + words[index]);
  return value;
}

int signal_by_name(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const auto& row : signal_names) {
    if (row.name == name || std::to_string(row.number) == name) return row.number;
  }
  die("no such signal: " + std::string(name));
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

void nap(long milliseconds) {
  timespec left{.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

void serve() {
  for (;;) pause();
}

void run_modes(Words words) {
  while (!words.empty()) {
    const std::string_view name = words[0];
    words = words.subspan(1);
    // The one mode for which "--" is a word like any other.
    if (name == "args") {
      for (const char* word : words) say(json_quoted(word));
      return;
    }
    const auto separator = std::find_if(words.begin(), words.end(), [](const char* w) { return !strcmp(w, "--"); });
    const auto count = static_cast<std::size_t>(separator - words.begin());
    const auto* const mode = std::find_if(modes.begin(), modes.end(), [&](const Mode& m) { return m.name == name; });
    if (mode == modes.end()) die("no such mode: " + std::string(name));
    mode->run(words.first(count));
    words = words.subspan(std::min(count + 1, words.size()));
  }
}

}  // namespace probe

int main(int argc, char** argv) {
  if (argc < 2) probe::die("no mode given");
  probe::run_modes(probe::Words(argv + 1, static_cast<std::size_t>(argc - 1)));
  return 0;
}
